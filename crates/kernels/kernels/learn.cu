// The update: gradients of biases, steps with momentum and weight costs (src/learning/update.rs), the pull
// towards sparse activity.
#include "steps.cuh"

// The sum of a column over rows [0, rows), by the LANES threads that share it; known to lane 0.
template <typename T>
__device__ inline float column_sum(const T *x, uint32_t rows, uint32_t stride, uint32_t column) {
    __shared__ float sums[LANES][COLUMNS];
    float sum = 0.0f;
    for (uint32_t row = threadIdx.y; row < rows; row += LANES) {
        sum += as_float(x[static_cast<uint64_t>(row) * stride + column]);
    }
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0) {
        for (uint32_t lane = 1; lane < LANES; lane++) sum += sums[lane][threadIdx.x];
    }
    __syncthreads();
    return sum;
}

// Steps biases along their sum over `positives` rows minus `r` times that over the `negatives`
// below them. A block of COLUMNS x LANES threads handles 32 units.
template <typename T>
__device__ void step_biases(const T *x, uint32_t positives, uint32_t negatives, uint32_t stride, float r, float rate,
                            float momentum, float *bias, float *velocity, uint32_t *largest) {
    const uint32_t column = blockIdx.x * COLUMNS + threadIdx.x;
    const float positive = column_sum(x, positives, stride, column);
    const float negative = column_sum(x + static_cast<uint64_t>(positives) * stride, negatives, stride, column);
    if (threadIdx.y != 0) return;
    step_bias(positive - r * negative, rate, momentum, bias[column], velocity[column], largest);
}

// The same for many rows, in two steps. First the sums over every PART rows, of which blocks
// blockIdx.y take one each: sums[part][column].
constexpr uint32_t PART = 256;

template <typename T>
__device__ void sum_parts(const T *x, uint32_t rows, uint32_t stride, float *sums) {
    const uint32_t column = blockIdx.x * COLUMNS + threadIdx.x, first = blockIdx.y * PART;
    const float sum = column_sum(x + static_cast<uint64_t>(first) * stride, min(PART, rows - first), stride, column);
    if (threadIdx.y == 0) sums[static_cast<uint64_t>(blockIdx.y) * stride + column] = sum;
}

// Then the sum of the parts of the positive rows minus `r` times that of the negative ones below them.
__device__ inline float sum_of_parts(const float *sums, uint32_t positives, uint32_t negatives, uint32_t stride,
                                     float r, uint32_t column) {
    float positive = 0.0f, negative = 0.0f;
    for (uint32_t part = 0; part < positives; part++) positive += sums[static_cast<uint64_t>(part) * stride + column];
    sums += static_cast<uint64_t>(positives) * stride;
    for (uint32_t part = 0; part < negatives; part++) negative += sums[static_cast<uint64_t>(part) * stride + column];
    return positive - r * negative;
}

extern "C" __global__ void step_biases_by_parts(const float *sums, uint32_t positives, uint32_t negatives,
                                                uint32_t stride, float r, float rate, float momentum, float *bias,
                                                float *velocity, uint32_t *largest) {
    const uint32_t column = blockIdx.x * COLUMNS + threadIdx.x;
    if (threadIdx.y != 0) return;
    const float gradient = sum_of_parts(sums, positives, negatives, stride, r, column);
    step_bias(gradient, rate, momentum, bias[column], velocity[column], largest);
}

// The gradients of biases alone, of few rows and of the parts of many.
template <typename T>
__device__ void sum_biases(const T *x, uint32_t positives, uint32_t negatives, uint32_t stride, float r, float *out) {
    const uint32_t column = blockIdx.x * COLUMNS + threadIdx.x;
    const float positive = column_sum(x, positives, stride, column);
    const float negative = column_sum(x + static_cast<uint64_t>(positives) * stride, negatives, stride, column);
    if (threadIdx.y == 0) out[column] = positive - r * negative;
}

extern "C" __global__ void sum_biases_by_parts(const float *sums, uint32_t positives, uint32_t negatives,
                                               uint32_t stride, float r, float *out) {
    const uint32_t column = blockIdx.x * COLUMNS + threadIdx.x;
    if (threadIdx.y == 0) out[column] = sum_of_parts(sums, positives, negatives, stride, r, column);
}

// p -= cost * (mean of p over the rows - target), the pull of Hinton 2010, section 11.
template <typename T>
__device__ void pull(T *p, uint32_t rows, uint32_t stride, float target, float cost, const float *bias) {
    __shared__ float pulls[COLUMNS];
    const uint32_t column = blockIdx.x * COLUMNS + threadIdx.x;
    const float sum = column_sum(p, rows, stride, column);
    if (threadIdx.y == 0) {
        pulls[threadIdx.x] = bias[column] == -INFINITY ? 0.0f : cost * (sum / static_cast<float>(rows) - target);
    }
    __syncthreads();
    for (uint32_t row = threadIdx.y; row < rows; row += LANES) {
        T &at = p[static_cast<uint64_t>(row) * stride + column];
        at = from_float<T>(as_float(at) - pulls[threadIdx.x]);
    }
}

// Steps weights along their summed gradient, four a thread; `rounded` is their copy in BF16, or
// null.
extern "C" __global__ void step_weights(const float4 *gradient, float4 *velocity, float4 *w, __nv_bfloat162 *rounded,
                                        uint64_t quads, float scale, float rate, float momentum, float l2, float l1,
                                        uint32_t *largest) {
    const uint64_t stride = static_cast<uint64_t>(gridDim.x) * blockDim.x;
    uint32_t bits = 0;
    for (uint64_t i = blockIdx.x * static_cast<uint64_t>(blockDim.x) + threadIdx.x; i < quads; i += stride) {
        const float4 g = gradient[i];
        float4 v = velocity[i], x = w[i];
        x.x = step_weight(g.x, v.x, x.x, scale, rate, momentum, l2, l1);
        x.y = step_weight(g.y, v.y, x.y, scale, rate, momentum, l2, l1);
        x.z = step_weight(g.z, v.z, x.z, scale, rate, momentum, l2, l1);
        x.w = step_weight(g.w, v.w, x.w, scale, rate, momentum, l2, l1);
        velocity[i] = v;
        w[i] = x;
        if (rounded != nullptr) {
            rounded[2 * i] = __floats2bfloat162_rn(x.x, x.y);
            rounded[2 * i + 1] = __floats2bfloat162_rn(x.z, x.w);
        }
        bits = max(bits, max(max(magnitude(x.x), magnitude(x.y)), max(magnitude(x.z), magnitude(x.w))));
    }
    keep_largest(bits, largest);
}

// A copy of weights in BF16.
extern "C" __global__ void round_weights(const float *w, __nv_bfloat16 *rounded, uint64_t n) {
    const uint64_t i = blockIdx.x * static_cast<uint64_t>(blockDim.x) + threadIdx.x;
    if (i < n) rounded[i] = __float2bfloat16(w[i]);
}

#define EXPORT(T, suffix)                                                                                              \
    extern "C" __global__ void step_biases_##suffix(const T *x, uint32_t positives, uint32_t negatives,                \
                                                    uint32_t stride, float r, float rate, float momentum,              \
                                                    float *bias, float *velocity, uint32_t *largest) {                 \
        step_biases<T>(x, positives, negatives, stride, r, rate, momentum, bias, velocity, largest);                   \
    }                                                                                                                  \
    extern "C" __global__ void sum_parts_##suffix(const T *x, uint32_t rows, uint32_t stride, float *sums) {           \
        sum_parts<T>(x, rows, stride, sums);                                                                           \
    }                                                                                                                  \
    extern "C" __global__ void sum_biases_##suffix(const T *x, uint32_t positives, uint32_t negatives,                 \
                                                   uint32_t stride, float r, float *out) {                             \
        sum_biases<T>(x, positives, negatives, stride, r, out);                                                        \
    }                                                                                                                  \
    extern "C" __global__ void pull_##suffix(T *p, uint32_t rows, uint32_t stride, float target, float cost,           \
                                             const float *bias) {                                                      \
        pull<T>(p, rows, stride, target, cost, bias);                                                                  \
    }

EXPORT(float, f32)
EXPORT(__nv_bfloat16, bf16)
