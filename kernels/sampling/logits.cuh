// Logits in an order that integers have, and their weights as integers, whose sums do not depend on the order of additions.
#pragma once
#include "common/integers.cuh"

// Unsigned numbers in the order of the values: both zeros are the same, NaN is above everything.
constexpr u32 kKeyOfNan = 0xFFFFFFFFu;
constexpr u32 kKeyOfMinusInfinity = 0x007FFFFFu;

__device__ __forceinline__ u32 key_of(float logit) {
    const u32 bits = __float_as_uint(logit + 0.0f);
    const u32 key = bits ^ ((u32)((i32)bits >> 31) | 0x80000000u);
    return logit == logit ? key : kKeyOfNan;
}

__device__ __forceinline__ float logit_of(u32 key) {
    return __uint_as_float(key ^ ((u32)~((i32)key >> 31) | 0x80000000u));
}

__device__ constexpr u32 ceil_log2(u32 value) {
    u32 bits = 0;
    while ((1ull << bits) < value)
        bits++;
    return bits;
}

// exp((logit - largest) / temperature) in fixed point: at most 1, and the sum of all weights of a row is at most 2^62.
template <u32 vocabulary>
struct Weights {
    static constexpr u32 kFractionBits = 62 - ceil_log2(vocabulary);

    u32 largest;
    float temperature;

    __device__ __forceinline__ u64 of(u32 key) const {
        constexpr float kOne = (float)(1ull << kFractionBits);
        // Infinite less infinite is no number.
        return key == largest ? 1ull << kFractionBits : (u64)(expf((logit_of(key) - logit_of(largest)) / temperature) * kOne);
    }
};
