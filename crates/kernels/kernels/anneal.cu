// Chains of an RBM at inverse temperatures of their own: see src/measures/tempered.rs for the formulas.
#include "units.cuh"

// Adds ln p*(v, y; to) - ln p*(v, y; from) of every chain to `log_weights`, x being its products
// v W + w_y, `bias` and `offset` the slopes and offsets of the hidden biases, and `linear` its a_1·v + b_y. One
// block a chain.
extern "C" __global__ void anneal_weights(const float *x, const float *bias, const float *offset,
                                          const double *linear, const float *froms, float from, const float *tos,
                                          float to, uint32_t units, uint32_t stride, double *log_weights) {
    const uint32_t chain = blockIdx.x;
    from = beta_of(froms, from, chain);
    to = beta_of(tos, to, chain);
    x += static_cast<uint64_t>(chain) * stride;
    double sum = 0.0;
    for (uint32_t j = threadIdx.x; j < units; j += THREADS) sum += softplus_step(x[j] + bias[j], offset[j], from, to);
    sum = block_sum(sum);
    if (threadIdx.x == 0) log_weights[chain] += linear[chain] * static_cast<double>(to - from) + sum;
}

// States on with probability sigmoid(offset + beta (x + bias)); padding stays off.
extern "C" __global__ void tempered_states(const float *x, const float *bias, const float *offset,
                                           const float *betas, float beta, float *states, uint32_t rows,
                                           uint32_t units, uint32_t width, uint32_t stride, uint32_t key0,
                                           uint32_t key1, uint32_t step, uint32_t purpose) {
    Place at;
    if (!place(rows, width, at)) return;
    beta = beta_of(betas, beta, at.row);
    const uint4 words = philox(at.counter, at.row, Draw{key0, key1, step, purpose});
#pragma unroll
    for (uint32_t w = 0; w < 4; w++) {
        const uint32_t j = at.first + 8 * w;
        const uint64_t i = static_cast<uint64_t>(at.row) * stride + j;
        const float e = exp_(-(offset[j] + beta * (x[i] + bias[j]))), u = unit(word_of(words, w));
        states[i] = j < units && u + u * e < 1.0f ? 1.0f : 0.0f;
    }
}

// slope · v of every chain. One block a chain.
extern "C" __global__ void linear_terms(const float *v, const float *slope, uint32_t width, double *out) {
    v += static_cast<uint64_t>(blockIdx.x) * width;
    double sum = 0.0;
    for (uint32_t i = threadIdx.x; i < width; i += THREADS) sum += v[i] * slope[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) out[blockIdx.x] = sum;
}

// The label of every chain, of whose one-hot columns the first is at `labels`.
extern "C" __global__ void chosen_labels(const float *labels, uint32_t rows, uint32_t classes, uint32_t stride,
                                         uint32_t *out) {
    const uint32_t row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows) return;
    labels += static_cast<uint64_t>(row) * stride;
    uint32_t chosen = 0;
    for (uint32_t c = 1; c < classes; c++) {
        if (labels[c] > labels[chosen]) chosen = c;
    }
    out[row] = chosen;
}
