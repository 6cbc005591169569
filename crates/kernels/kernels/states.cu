// States of layers: bits to numbers, and what a layer does with the products that arrive.
//
// Matrices are row-major, a sample a row, with `stride` columns: the units and padding up to a
// multiple of 32. A padding unit has the bias minus infinity and the probability 0.
#include "units.cuh"

// The row and the unit of a thread that handles one number; whether there is one.
__device__ inline bool element(uint32_t rows, uint32_t width, uint32_t &row, uint32_t &unit) {
    const uint64_t i = blockIdx.x * static_cast<uint64_t>(blockDim.x) + threadIdx.x;
    row = i / width;
    unit = i % width;
    return row < rows;
}

// Numbers from packed states, words[block * rows + row] (Bits in src/states/bits.rs).
template <typename T>
__device__ void unpack(const uint32_t *words, T *out, uint32_t rows, uint32_t blocks, uint32_t stride) {
    uint32_t row, unit;
    if (!element(rows, blocks * BLOCK, row, unit)) return;
    const uint32_t word = words[static_cast<uint64_t>(unit / BLOCK) * rows + row];
    out[static_cast<uint64_t>(row) * stride + unit] = from_float<T>(static_cast<float>(word >> (unit % BLOCK) & 1));
}

// Packed states from numbers, for reading back; a warp a word.
template <typename T>
__device__ void pack(const T *in, uint32_t *words, uint32_t rows, uint32_t blocks, uint32_t stride) {
    uint32_t row, unit;
    // Whole warps leave together: a row is a whole number of them.
    if (!element(rows, blocks * BLOCK, row, unit)) return;
    const uint32_t word = __ballot_sync(0xFFFFFFFFu, as_float(in[static_cast<uint64_t>(row) * stride + unit]) > 0.5f);
    if (unit % BLOCK == 0) words[static_cast<uint64_t>(unit / BLOCK) * rows + row] = word;
}

// Numbers from floats [rows, units]; padding becomes 0.
template <typename T>
__device__ void convert(const float *in, T *out, uint32_t rows, uint32_t units, uint32_t width, uint32_t stride) {
    uint32_t row, unit;
    if (!element(rows, width, row, unit)) return;
    const float x = unit < units ? in[static_cast<uint64_t>(row) * units + unit] : 0.0f;
    out[static_cast<uint64_t>(row) * stride + unit] = from_float<T>(x);
}

// A one-hot row a sample.
template <typename T>
__device__ void one_hot(const uint32_t *labels, T *out, uint32_t rows, uint32_t width, uint32_t stride) {
    uint32_t row, unit;
    if (!element(rows, width, row, unit)) return;
    out[static_cast<uint64_t>(row) * stride + unit] = from_float<T>(labels[row] == unit ? 1.0f : 0.0f);
}

// p = sigmoid(x + bias), and states drawn from it.
template <typename T>
__device__ void sample(const float *x, const float *bias, T *p, T *states, uint32_t rows, uint32_t width,
                       uint32_t stride, uint32_t first_row, Draw draw) {
    Place at;
    if (!place(rows, width, at)) return;
    const uint4 words = philox(at.counter, first_row + at.row, draw);
#pragma unroll
    for (uint32_t w = 0; w < 4; w++) {
        const uint32_t unit_ = at.first + 8 * w;
        const uint64_t i = static_cast<uint64_t>(at.row) * stride + unit_;
        const float probability = sigmoid(x[i] + bias[unit_]);
        p[i] = from_float<T>(probability);
        states[i] = from_float<T>(unit(word_of(words, w)) < probability ? 1.0f : 0.0f);
    }
}

// The same for a tensor without padding, [rows, units]: probabilities, and below them states.
extern "C" __global__ void bernoulli(const float *x, const float *bias, float *out, uint32_t rows, uint32_t units,
                                     uint32_t key0, uint32_t key1, uint32_t step, uint32_t purpose) {
    Place at;
    if (!place(rows, (units + BLOCK - 1) / BLOCK * BLOCK, at)) return;
    const uint4 words = philox(at.counter, at.row, Draw{key0, key1, step, purpose});
#pragma unroll
    for (uint32_t w = 0; w < 4; w++) {
        const uint32_t j = at.first + 8 * w;
        if (j >= units) return;
        const uint64_t i = static_cast<uint64_t>(at.row) * units + j, all = static_cast<uint64_t>(rows) * units;
        const float p = sigmoid(x[i] + bias[j]);
        out[i] = p;
        out[all + i] = unit(word_of(words, w)) < p ? 1.0f : 0.0f;
    }
}

// States alone, on with probability sigmoid(x + bias), without the division: u + u exp(-x) < 1.
template <typename T>
__device__ void draw_states(const float *x, const float *bias, T *states, uint32_t rows, uint32_t width,
                            uint32_t stride, uint32_t first_row, Draw draw) {
    Place at;
    if (!place(rows, width, at)) return;
    const uint4 words = philox(at.counter, first_row + at.row, draw);
#pragma unroll
    for (uint32_t w = 0; w < 4; w++) {
        const uint32_t unit_ = at.first + 8 * w;
        const uint64_t i = static_cast<uint64_t>(at.row) * stride + unit_;
        const float e = exp_(-(x[i] + bias[unit_])), u = unit(word_of(words, w));
        states[i] = from_float<T>(u + u * e < 1.0f ? 1.0f : 0.0f);
    }
}

// factor * sigmoid(x + bias).
template <typename T>
__device__ void probabilities(const float *x, const float *bias, T *p, uint32_t rows, uint32_t width, uint32_t stride,
                              float factor) {
    uint32_t row, unit;
    if (!element(rows, width, row, unit)) return;
    const uint64_t at = static_cast<uint64_t>(row) * stride + unit;
    p[at] = from_float<T>(factor * sigmoid(x[at] + bias[unit]));
}

// out = factor * in.
template <typename T>
__device__ void scale(const T *in, T *out, uint32_t rows, uint32_t width, uint32_t stride, float factor) {
    uint32_t row, unit;
    if (!element(rows, width, row, unit)) return;
    const uint64_t at = static_cast<uint64_t>(row) * stride + unit;
    out[at] = from_float<T>(factor * as_float(in[at]));
}

// Rows of one matrix in another one of a different stride.
template <typename T>
__device__ void copy(const T *in, T *out, uint32_t rows, uint32_t width, uint32_t from, uint32_t to) {
    uint32_t row, unit;
    if (!element(rows, width, row, unit)) return;
    out[static_cast<uint64_t>(row) * to + unit] = in[static_cast<uint64_t>(row) * from + unit];
}

// target - sigmoid(x + bias), the error of the delta rule.
template <typename T>
__device__ void errors(const float *x, const float *bias, const T *target, T *error, uint32_t rows, uint32_t width,
                       uint32_t stride) {
    uint32_t row, unit;
    if (!element(rows, width, row, unit)) return;
    const uint64_t at = static_cast<uint64_t>(row) * stride + unit;
    error[at] = from_float<T>(as_float(target[at]) - sigmoid(x[at] + bias[unit]));
}

// p(y|h) = softmax(beta (x + bias)) over the first `classes` columns; one block a sample.
// With `draw_it` a label drawn from p takes its place.
template <typename T>
__device__ void labels(const float *x, const float *bias, const float *betas, float beta, T *p, uint32_t classes,
                       uint32_t stride, bool draw_it, Draw draw) {
    __shared__ float shared[THREADS];
    const uint32_t t = threadIdx.x;
    const uint64_t row = blockIdx.x;
    beta = beta_of(betas, beta, row);
    x += row * stride;
    p += row * stride;
    float top = -INFINITY;
    for (uint32_t c = t; c < classes; c += THREADS) top = fmaxf(top, beta * (x[c] + bias[c]));
    shared[t] = top;
    __syncthreads();
    for (uint32_t width = THREADS / 2; width > 0; width /= 2) {
        if (t < width) shared[t] = fmaxf(shared[t], shared[t + width]);
        __syncthreads();
    }
    top = shared[0];
    __syncthreads();
    float sum = 0.0f;
    for (uint32_t c = t; c < classes; c += THREADS) sum += expf(beta * (x[c] + bias[c]) - top);
    shared[t] = sum;
    __syncthreads();
    for (uint32_t width = THREADS / 2; width > 0; width /= 2) {
        if (t < width) shared[t] += shared[t + width];
        __syncthreads();
    }
    sum = shared[0];
    if (!draw_it) {
        for (uint32_t c = t; c < classes; c += THREADS) p[c] = from_float<T>(expf(beta * (x[c] + bias[c]) - top) / sum);
    } else if (t == 0) {
        float left = unit(philox(0, row, draw).x);
        uint32_t label = 0;
        // Rounding may leave the sum short of one: the last class takes what is left.
        for (; label + 1 < classes; label++) {
            left -= expf(beta * (x[label] + bias[label]) - top) / sum;
            if (left < 0.0f) break;
        }
        for (uint32_t c = 0; c < classes; c++) p[c] = from_float<T>(c == label ? 1.0f : 0.0f);
    }
}

#define EXPORT(T, suffix)                                                                                              \
    extern "C" __global__ void unpack_##suffix(const uint32_t *words, T *out, uint32_t rows, uint32_t blocks,          \
                                               uint32_t stride) {                                                      \
        unpack<T>(words, out, rows, blocks, stride);                                                                   \
    }                                                                                                                  \
    extern "C" __global__ void pack_##suffix(const T *in, uint32_t *words, uint32_t rows, uint32_t blocks,             \
                                             uint32_t stride) {                                                        \
        pack<T>(in, words, rows, blocks, stride);                                                                      \
    }                                                                                                                  \
    extern "C" __global__ void convert_##suffix(const float *in, T *out, uint32_t rows, uint32_t units,                \
                                                uint32_t width, uint32_t stride) {                                     \
        convert<T>(in, out, rows, units, width, stride);                                                               \
    }                                                                                                                  \
    extern "C" __global__ void one_hot_##suffix(const uint32_t *labels, T *out, uint32_t rows, uint32_t width,         \
                                                uint32_t stride) {                                                     \
        one_hot<T>(labels, out, rows, width, stride);                                                                  \
    }                                                                                                                  \
    extern "C" __global__ void sample_##suffix(const float *x, const float *bias, T *p, T *states, uint32_t rows,      \
                                               uint32_t width, uint32_t stride, uint32_t first_row, uint32_t key0,     \
                                               uint32_t key1, uint32_t step, uint32_t purpose) {                       \
        sample<T>(x, bias, p, states, rows, width, stride, first_row, Draw{key0, key1, step, purpose});                \
    }                                                                                                                  \
    extern "C" __global__ void states_##suffix(const float *x, const float *bias, T *states, uint32_t rows,            \
                                               uint32_t width, uint32_t stride, uint32_t first_row, uint32_t key0,     \
                                               uint32_t key1, uint32_t step, uint32_t purpose) {                       \
        draw_states<T>(x, bias, states, rows, width, stride, first_row, Draw{key0, key1, step, purpose});              \
    }                                                                                                                  \
    extern "C" __global__ void probabilities_##suffix(const float *x, const float *bias, T *p, uint32_t rows,          \
                                                      uint32_t width, uint32_t stride, float factor) {                 \
        probabilities<T>(x, bias, p, rows, width, stride, factor);                                                     \
    }                                                                                                                  \
    extern "C" __global__ void scale_##suffix(const T *in, T *out, uint32_t rows, uint32_t width, uint32_t stride,     \
                                              float factor) {                                                          \
        scale<T>(in, out, rows, width, stride, factor);                                                                \
    }                                                                                                                  \
    extern "C" __global__ void copy_##suffix(const T *in, T *out, uint32_t rows, uint32_t width, uint32_t from,        \
                                             uint32_t to) {                                                            \
        copy<T>(in, out, rows, width, from, to);                                                                       \
    }                                                                                                                  \
    extern "C" __global__ void errors_##suffix(const float *x, const float *bias, const T *target, T *error,           \
                                               uint32_t rows, uint32_t width, uint32_t stride) {                       \
        errors<T>(x, bias, target, error, rows, width, stride);                                                        \
    }                                                                                                                  \
    extern "C" __global__ void labels_##suffix(const float *x, const float *bias, const float *betas, float beta,      \
                                               T *p, uint32_t classes, uint32_t stride, uint32_t draw_it,              \
                                               uint32_t key0, uint32_t key1, uint32_t step, uint32_t purpose) {        \
        labels<T>(x, bias, betas, beta, p, classes, stride, draw_it != 0, Draw{key0, key1, step, purpose});            \
    }

EXPORT(float, f32)
EXPORT(__nv_bfloat16, bf16)
