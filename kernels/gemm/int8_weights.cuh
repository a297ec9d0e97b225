// int8 weights become STORAGE exactly: every integer of eight bits is a bf16 and an f16. A row's scale multiplies its sum.
// In memory each 16 columns of a row are in the order 0 1 8 9, 2 3 10 11, 4 5 12 13, 6 7 14 15: a 32-bit word is what lane t of an mma wants.
#pragma once
#include "common/types.cuh"
#include "ptx/half2.cuh"
#include "ptx/lop3.cuh"
#include "ptx/prmt.cuh"

// lower: columns 2t, 2t + 1; upper: columns 2t + 8, 2t + 9.
template <typename T>
__device__ __forceinline__ void widen_int8(u32 word, u32& lower, u32& upper);

// 0x64 before a byte b is 1024 + b, and b is the weight + 128.
template <>
__device__ __forceinline__ void widen_int8<f16>(u32 word, u32& lower, u32& upper) {
    const u32 biased = word ^ 0x80808080u;
    lower = sub_f16x2(prmt(biased, 0x64646464u, 0x5150), 0x64806480u);
    upper = sub_f16x2(prmt(biased, 0x64646464u, 0x5352), 0x64806480u);
}

#if __CUDA_ARCH__ >= 800
// Seven bits fit behind 0x43 (128 + b); the sign bit makes the subtrahend 256 in place of 128.
__device__ __forceinline__ u32 widen_int8_pair(u32 bytes) {
    const u32 magnitude = lop3<0xEA>(bytes, 0x007F007Fu, 0x43004300u);
    const u32 subtrahend = lop3<0xEA>(bytes, 0x00800080u, 0xC300C300u);
    return fma_bf16x2(magnitude, 0x3F803F80u, subtrahend);
}

template <>
__device__ __forceinline__ void widen_int8<bf16>(u32 word, u32& lower, u32& upper) {
    lower = widen_int8_pair(prmt(word, 0, 0x4140));
    upper = widen_int8_pair(prmt(word, 0, 0x4342));
}
#endif

// Weights with zero points are unsigned, and stored with 128 subtracted: the zero point is less by as much, and the difference is exact in 16 bits. The pair
// of a zero point of which (0, 1) in both halves of a register.
template <typename T>
__device__ __forceinline__ u32 int8_zero(u32 zeros, u32 which) {
    const float zero = (float)(zeros >> 8 * which & 0xFF) - 128.0f;
    return pack_pair<T>(zero, zero);
}

template <typename T>
__device__ __forceinline__ u32 less_int8_zero(u32 pair, u32 zero);

template <>
__device__ __forceinline__ u32 less_int8_zero<f16>(u32 pair, u32 zero) {
    return sub_f16x2(pair, zero);
}

#if __CUDA_ARCH__ >= 800
template <>
__device__ __forceinline__ u32 less_int8_zero<bf16>(u32 pair, u32 zero) {
    return fma_bf16x2(zero, 0xBF80BF80u, pair);
}
#endif

// Where column k of 16 lies in memory.
__device__ __forceinline__ constexpr u32 int8_place_of(u32 k) {
    return (k & 7) / 2 * 4 + (k >> 3) * 2 + (k & 1);
}
