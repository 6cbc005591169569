// Steps of gradient descent, as src/learning/descent.rs has them.
#include "units.cuh"

extern "C" __global__ void adam(float *w, float *m, float *s, const float *gradient, uint64_t n, float first,
                                float second, float rate, float scale, float shrink) {
    const uint64_t i = blockIdx.x * static_cast<uint64_t>(blockDim.x) + threadIdx.x;
    if (i >= n) return;
    const float g = gradient[i];
    m[i] = first * m[i] + (1.0f - first) * g;
    s[i] = second * s[i] + (1.0f - second) * (g * g);
    w[i] = w[i] - shrink * w[i] - rate * m[i] / (sqrtf(s[i] * scale) + 1e-8f);
}

extern "C" __global__ void descend(float *w, float *m, const float *gradient, uint64_t n, float rate, float momentum,
                                   float cost, uint32_t nesterov) {
    const uint64_t i = blockIdx.x * static_cast<uint64_t>(blockDim.x) + threadIdx.x;
    if (i >= n) return;
    const float g = gradient[i] + cost * w[i];
    m[i] = momentum * m[i] + g;
    w[i] -= rate * (nesterov ? g + momentum * m[i] : m[i]);
}

// Scales columns down to a norm of at most `most`; a thread a column.
extern "C" __global__ void limit_norms(float *w, uint32_t rows, uint32_t columns, float most) {
    const uint32_t column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= columns) return;
    float sum = 0.0f;
    for (uint32_t row = 0; row < rows; row++) {
        const float x = w[static_cast<uint64_t>(row) * columns + column];
        sum += x * x;
    }
    const float norm = sqrtf(sum);
    if (norm <= most) return;
    const float factor = most / norm;
    for (uint32_t row = 0; row < rows; row++) w[static_cast<uint64_t>(row) * columns + column] *= factor;
}
