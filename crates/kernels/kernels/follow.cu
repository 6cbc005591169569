// Steps along statistics that are kept, centred or not (src/learning/statistics.rs), and models that follow another
// (src/learning/following.rs). Biases of padding units are minus infinity and stay so.
#include "steps.cuh"

__device__ inline uint64_t first_of(uint64_t &stride) {
    stride = static_cast<uint64_t>(gridDim.x) * blockDim.x;
    return blockIdx.x * static_cast<uint64_t>(blockDim.x) + threadIdx.x;
}

// Steps biases along their summed gradient. A thread a bias, and whole warps of them.
extern "C" __global__ void step_biases_along(const float *gradient, uint32_t n, float rate, float momentum, float *bias,
                                             float *velocity, uint32_t *largest) {
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) step_bias(gradient[i], rate, momentum, bias[i], velocity[i], largest);
}

// Steps weights along S - mu t^T - s lambda^T, of rows with offsets `mu` and columns with offsets `lambda`, whose
// biases have the gradients `s` and `t`.
extern "C" __global__ void step_weights_centred(const float *gradient, const float *mu, const float *s, const float *t,
                                                const float *lambda, float *velocity, float *w, __nv_bfloat16 *rounded,
                                                uint64_t n, uint32_t width, float scale, float rate, float momentum,
                                                float l2, float l1, uint32_t *largest) {
    uint64_t stride;
    uint32_t bits = 0;
    for (uint64_t i = first_of(stride); i < n; i += stride) {
        const uint32_t row = i / width, column = i % width;
        const float centred = gradient[i] - (mu[row] * t[column] + s[row] * lambda[column]);
        w[i] = step_weight(centred, velocity[i], w[i], scale, rate, momentum, l2, l1);
        if (rounded != nullptr) rounded[i] = __float2bfloat16(w[i]);
        bits = max(bits, magnitude(w[i]));
    }
    keep_largest(bits, largest);
}

// Takes the step's columns times `mu` from the hidden biases. A block of COLUMNS x LANES threads handles 32 units.
extern "C" __global__ void shift_hidden(const float *step, const float *mu, uint32_t rows, uint32_t width, float *bias,
                                        uint32_t *largest) {
    __shared__ float sums[LANES][COLUMNS];
    const uint32_t column = blockIdx.x * COLUMNS + threadIdx.x;
    float sum = 0.0f;
    for (uint32_t row = threadIdx.y; row < rows; row += LANES) {
        sum += mu[row] * step[static_cast<uint64_t>(row) * width + column];
    }
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0) return;
    for (uint32_t lane = 1; lane < LANES; lane++) sum += sums[lane][threadIdx.x];
    const bool padding = bias[column] == -INFINITY;
    if (!padding) bias[column] -= sum;
    keep_largest(padding ? 0 : magnitude(bias[column]), largest);
}

// Takes the step's rows times `lambda` from the visible biases. One block a row.
extern "C" __global__ void shift_visible(const float *step, const float *lambda, uint32_t width, float *bias,
                                         uint32_t *largest) {
    const uint32_t row = blockIdx.x;
    step += static_cast<uint64_t>(row) * width;
    double sum = 0.0;
    for (uint32_t j = threadIdx.x; j < width; j += THREADS) sum += step[j] * lambda[j];
    sum = block_sum(sum);
    if (threadIdx.x != 0 || bias[row] == -INFINITY) return;
    bias[row] -= static_cast<float>(sum);
    const uint32_t bits = magnitude(bias[row]);
    if (bits > *largest) atomicMax(largest, bits);
}

// Moves offsets by `share` of the way towards the means that sums over so many samples make.
extern "C" __global__ void follow_means(const float *sums, float *offsets, uint32_t n, float samples, float share) {
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) offsets[i] += share * (sums[i] / samples - offsets[i]);
}

// Fast weights decay and step along a gradient; the parameters are those they run ahead of, and them.
extern "C" __global__ void run_ahead(const float *gradient, const float *slow, float *fast, float *parameters,
                                     __nv_bfloat16 *rounded, uint64_t n, float scale, float decay) {
    uint64_t stride;
    for (uint64_t i = first_of(stride); i < n; i += stride) {
        fast[i] = decay * fast[i] + scale * gradient[i];
        parameters[i] = slow[i] + fast[i];
        if (rounded != nullptr) rounded[i] = __float2bfloat16(parameters[i]);
    }
}

// Moves parameters by `share` of the way towards others.
extern "C" __global__ void approach(const float *others, float *parameters, __nv_bfloat16 *rounded, uint64_t n,
                                    float share) {
    uint64_t stride;
    for (uint64_t i = first_of(stride); i < n; i += stride) {
        if (isfinite(parameters[i])) parameters[i] += share * (others[i] - parameters[i]);
        if (rounded != nullptr) rounded[i] = __float2bfloat16(parameters[i]);
    }
}

// The slopes of biases on the way from `offset` to `end`; 0 for padding units.
extern "C" __global__ void bias_slopes(const float *end, const float *offset, float *slope, uint32_t n) {
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) slope[i] = isfinite(end[i]) ? end[i] - offset[i] : 0.0f;
}
