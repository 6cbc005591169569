// Steps of one bias and one weight with momentum and weight costs: src/learning/update.rs.
#pragma once
#include "units.cuh"

// Columns and rows of the blocks that sum over rows.
constexpr uint32_t COLUMNS = 32, LANES = 8;

// Steps a bias along its gradient, unless it is that of a padding unit, which stays at minus infinity. Keeps its
// magnitude unless `largest` is null.
__device__ inline void step_bias(float gradient, float rate, float momentum, float &bias, float &velocity,
                                 uint32_t *largest) {
    uint32_t bits = 0;
    if (bias != -INFINITY) {
        velocity = momentum * velocity + rate * gradient;
        bias += velocity;
        bits = magnitude(bias);
    }
    if (largest != nullptr) keep_largest(bits, largest);
}

__device__ inline float step_weight(float gradient, float &velocity, float w, float scale, float rate, float momentum,
                                    float l2, float l1) {
    const float sign = w == 0.0f ? 0.0f : copysignf(1.0f, w);
    const float cost = l2 * w + l1 * sign;
    velocity = momentum * velocity + scale * gradient - rate * cost;
    return w + velocity;
}
