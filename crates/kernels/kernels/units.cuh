// What the kernels share: the generator of src/rng.rs, the functions of src/units/math.rs, sums in a
// fixed order.
//
// The arithmetic is that of the CPU to the bit: the same polynomials, and the build turns fused
// multiply-add off. Equal inputs and equal uniforms give equal states.
#pragma once
#include <cstdint>
#include <cuda_bf16.h>

// Units that share a word of packed states.
constexpr uint32_t BLOCK = 32;

// Threads of a block that sums over units.
constexpr uint32_t THREADS = 256;

// An array of uniforms: see Uniforms in src/rng.rs.
struct Draw {
    uint32_t key0, key1, step, purpose;
};

__device__ inline uint4 philox(uint32_t counter, uint32_t row, Draw draw) {
    uint4 c = make_uint4(counter, row, draw.step, draw.purpose);
    uint32_t k0 = draw.key0, k1 = draw.key1;
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const uint32_t low0 = 0xD2511F53u * c.x, high0 = __umulhi(0xD2511F53u, c.x);
        const uint32_t low1 = 0xCD9E8D57u * c.z, high1 = __umulhi(0xCD9E8D57u, c.z);
        c = make_uint4(high1 ^ c.y ^ k0, low1, high0 ^ c.w ^ k1, low0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

// The top 24 bits of a word as a float in [0, 1).
__device__ inline float unit(uint32_t word) {
    return static_cast<float>(word >> 8) * (1.0f / 16777216.0f);
}

// Word w of a counter's four.
__device__ inline uint32_t word_of(uint4 words, uint32_t w) {
    return w == 0 ? words.x : w == 1 ? words.y : w == 2 ? words.z : words.w;
}

__device__ inline float exp_(float x) {
    x = fminf(fmaxf(x, -87.0f), 89.0f);
    const float shifted = x * 1.44269504088896340736f + 12582912.0f;
    const float n = shifted - 12582912.0f;
    const float r = (x - n * 0.6933594f) - n * -2.1219444e-4f;
    float p = 1.9875691e-4f;
    p = p * r + 1.3981999e-3f;
    p = p * r + 8.333452e-3f;
    p = p * r + 4.1665796e-2f;
    p = p * r + 0.16666665f;
    p = p * r + 0.5f;
    p = p * (r * r) + (r + 1.0f);
    return p * __uint_as_float((__float_as_uint(shifted) + 127u) << 23);
}

__device__ inline float sigmoid(float x) {
    return 1.0f / (1.0f + exp_(-x));
}

// ln(1 + exp(x)).
__device__ inline float softplus(float x) {
    const float t = exp_(-fabsf(x));
    const float s = t / (2.0f + t), q = s * s;
    float p = 1.0f / 15.0f;
    p = p * q + 1.0f / 13.0f;
    p = p * q + 1.0f / 11.0f;
    p = p * q + 1.0f / 9.0f;
    p = p * q + 1.0f / 7.0f;
    p = p * q + 1.0f / 5.0f;
    p = p * q + 1.0f / 3.0f;
    p = p * q + 1.0f;
    return fmaxf(x, 0.0f) + 2.0f * s * p;
}

// softplus(offset + to x) - softplus(offset + from x), also where the two are close: softplus_step of src/units/math.rs.
__device__ inline float softplus_step(float x, float offset, float from, float to) {
    const float step = to - from;
    if (fabsf(x * step) >= 0.25f) {
        return softplus(offset + to * x) - softplus(offset + from * x);
    }
    const float d = step * x;
    float e = 1.0f + d / 7.0f;
    e = e * d / 6.0f + 1.0f;
    e = e * d / 5.0f + 1.0f;
    e = e * d / 4.0f + 1.0f;
    e = e * d / 3.0f + 1.0f;
    e = e * d / 2.0f + 1.0f;
    const float t = e * d / (1.0f + exp_(-(offset + from * x)));
    const float s = t / (2.0f + t), q = s * s;
    float p = 1.0f / 9.0f;
    p = p * q + 1.0f / 7.0f;
    p = p * q + 1.0f / 5.0f;
    p = p * q + 1.0f / 3.0f;
    p = p * q + 1.0f;
    return 2.0f * s * p;
}

__device__ inline float as_float(float x) { return x; }
__device__ inline float as_float(__nv_bfloat16 x) { return __bfloat162float(x); }

template <typename T> __device__ inline T from_float(float x);
template <> __device__ inline float from_float<float>(float x) { return x; }
template <> __device__ inline __nv_bfloat16 from_float<__nv_bfloat16>(float x) { return __float2bfloat16(x); }

// The sum over a block of THREADS threads, in the same order every time; known to thread 0.
__device__ inline double block_sum(double x) {
    __shared__ double sums[THREADS];
    const uint32_t t = threadIdx.x;
    sums[t] = x;
    __syncthreads();
#pragma unroll
    for (uint32_t width = THREADS / 2; width > 0; width /= 2) {
        if (t < width) sums[t] += sums[t + width];
        __syncthreads();
    }
    const double total = sums[0];
    __syncthreads();
    return total;
}

// Keeps the largest magnitude of a block's values in `largest`, as bits: integers order like
// magnitudes, and NaN comes out above everything.
__device__ inline void keep_largest(uint32_t bits, uint32_t *largest) {
    bits = __reduce_max_sync(0xFFFFFFFFu, bits);
    if ((threadIdx.x & 31) == 0 && bits > *largest) atomicMax(largest, bits);
}

__device__ inline uint32_t magnitude(float x) { return __float_as_uint(fabsf(x)); }

// The inverse temperature of a chain: its own, or that of all where `betas` is null.
__device__ inline float beta_of(const float *betas, float beta, uint32_t chain) {
    return betas == nullptr ? beta : betas[chain];
}

// A thread handles the four units of one counter: see the table at the top of src/rng.rs.
struct Place {
    uint32_t row, counter, first;
};

__device__ inline bool place(uint32_t rows, uint32_t width, Place &at) {
    const uint64_t i = blockIdx.x * static_cast<uint64_t>(blockDim.x) + threadIdx.x;
    const uint32_t counters = width / 4;
    at.row = i / counters;
    at.counter = i % counters;
    at.first = at.counter / 8 * BLOCK + at.counter % 8;
    return at.row < rows;
}
