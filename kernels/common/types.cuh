// The floating types of storage. They hold bits and know how to become float; arithmetic is done in float. No NVIDIA header is needed.
#pragma once
#include "common/integers.cuh"
#include "ptx/cvt.cuh"

using f32 = float;

struct f16 {
    u16 bits;
};

struct bf16 {
    u16 bits;
};

static_assert(sizeof(f16) == 2 && sizeof(bf16) == 2, "as stored");

__device__ __forceinline__ float to_float(float value) {
    return value;
}

__device__ __forceinline__ float to_float(f16 value) {
    return cvt_f32_f16(value.bits);
}

__device__ __forceinline__ float to_float(bf16 value) {
    return __uint_as_float((u32)value.bits << 16);
}

// from_float<T>: rounded to nearest even.
template <typename T>
__device__ __forceinline__ T from_float(float value);

template <>
__device__ __forceinline__ float from_float<float>(float value) {
    return value;
}

template <>
__device__ __forceinline__ f16 from_float<f16>(float value) {
    return {cvt_rn_f16_f32(value)};
}

template <>
__device__ __forceinline__ bf16 from_float<bf16>(float value) {
#if __CUDA_ARCH__ >= 800
    return {cvt_rn_bf16_f32(value)};
#else
    const u32 bits = __float_as_uint(value);
    const u32 rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
    return {(u16)((bits & 0x7FFFFFFFu) > 0x7F800000u ? 0x7FFFu : rounded)};
#endif
}

// pack_pair<T>: two values in one register, `lower` in the low half, which is the first in memory.
template <typename T>
__device__ __forceinline__ u32 pack_pair(float lower, float upper);

template <>
__device__ __forceinline__ u32 pack_pair<f16>(float lower, float upper) {
    return cvt_rn_f16x2_f32(upper, lower);
}

template <>
__device__ __forceinline__ u32 pack_pair<bf16>(float lower, float upper) {
#if __CUDA_ARCH__ >= 800
    return cvt_rn_bf16x2_f32(upper, lower);
#else
    return (u32)from_float<bf16>(upper).bits << 16 | from_float<bf16>(lower).bits;
#endif
}

// The halves of a register that holds a pair.
template <typename T>
__device__ __forceinline__ float lower_of(u32 pair) {
    return to_float(T{(u16)(pair & 0xFFFFu)});
}

template <typename T>
__device__ __forceinline__ float upper_of(u32 pair) {
    return to_float(T{(u16)(pair >> 16)});
}
