// Measurements, summed in double precision and in the same order every time (src/measures/measure.rs);
// one block a sample, but for the activity of units.
#include "units.cuh"

// sum over the units of softplus(x + bias).
extern "C" __global__ void softplus_sums(const float *x, const float *bias, uint32_t units, uint32_t stride,
                                         double *out) {
    x += static_cast<uint64_t>(blockIdx.x) * stride;
    double sum = 0.0;
    for (uint32_t j = threadIdx.x; j < units; j += THREADS) sum += softplus(x[j] + bias[j]);
    sum = block_sum(sum);
    if (threadIdx.x == 0) out[blockIdx.x] = sum;
}

// The same with a label's weights added to the inputs, and its bias to the sum: out [rows, classes].
extern "C" __global__ void label_scores(const float *x, const float *bias, const float *w, const float *label_bias,
                                        uint32_t units, uint32_t stride, double *out) {
    const uint32_t label = blockIdx.y, classes = gridDim.y;
    x += static_cast<uint64_t>(blockIdx.x) * stride;
    w += static_cast<uint64_t>(label) * stride;
    double sum = 0.0;
    for (uint32_t j = threadIdx.x; j < units; j += THREADS) sum += softplus(x[j] + bias[j] + w[j]);
    sum = block_sum(sum);
    if (threadIdx.x == 0) out[static_cast<uint64_t>(blockIdx.x) * classes + label] = sum + label_bias[label];
}

// sum of w² and of (w - before)², two sums a block.
extern "C" __global__ void squares(const float *w, const float *before, uint64_t n, double *out) {
    double whole = 0.0, change = 0.0;
    const uint64_t stride = static_cast<uint64_t>(gridDim.x) * blockDim.x;
    for (uint64_t i = blockIdx.x * static_cast<uint64_t>(blockDim.x) + threadIdx.x; i < n; i += stride) {
        const double x = w[i], d = x - before[i];
        whole += x * x;
        change += d * d;
    }
    whole = block_sum(whole);
    change = block_sum(change);
    if (threadIdx.x == 0) {
        out[2 * blockIdx.x] = whole;
        out[2 * blockIdx.x + 1] = change;
    }
}

// Activity: the sum over the rows of p, added to `sums`; a thread a unit.
extern "C" __global__ void add_activity(const float *p, uint32_t rows, uint32_t units, uint32_t stride, double *sums) {
    const uint32_t unit = blockIdx.x * blockDim.x + threadIdx.x;
    if (unit >= units) return;
    double sum = 0.0;
    for (uint32_t row = 0; row < rows; row++) sum += p[static_cast<uint64_t>(row) * stride + unit];
    sums[unit] += sum;
}

// sum over the units of softplus(x + bias) - v (x + bias), the cross-entropy, and of v bias.
template <typename T>
__device__ void costs(const float *x, const float *bias, const T *v, uint32_t units, uint32_t stride, double *cost,
                      double *linear) {
    const uint64_t row = static_cast<uint64_t>(blockIdx.x) * stride;
    double sum = 0.0, dot = 0.0;
    for (uint32_t i = threadIdx.x; i < units; i += THREADS) {
        const float logit = x[row + i] + bias[i], value = as_float(v[row + i]);
        sum += softplus(logit) - (value == 0.0f ? 0.0f : value * logit);
        dot += value * bias[i];
    }
    sum = block_sum(sum);
    dot = block_sum(dot);
    if (threadIdx.x == 0) {
        cost[blockIdx.x] = sum;
        linear[blockIdx.x] = dot;
    }
}

#define EXPORT(T, suffix)                                                                                              \
    extern "C" __global__ void costs_##suffix(const float *x, const float *bias, const T *v, uint32_t units,           \
                                              uint32_t stride, double *cost, double *linear) {                         \
        costs<T>(x, bias, v, units, stride, cost, linear);                                                             \
    }

EXPORT(float, f32)
EXPORT(__nv_bfloat16, bf16)
