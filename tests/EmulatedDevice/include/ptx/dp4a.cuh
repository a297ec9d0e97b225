// Host version, for the emulated device: same functions as kernels/ptx/dp4a.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

// T: the sign of a's bytes, U: of b's.
template <typename T, typename U>
__device__ __forceinline__ u32 dot_of_bytes(u32 a, u32 b, u32 c) {
    for (u32 i = 0; i < 4; i++)
        c += (u32)((i32)(T)(a >> 8 * i) * (i32)(U)(b >> 8 * i));
    return c;
}

__device__ __forceinline__ i32 dp4a_s32_s32(u32 a, u32 b, i32 c) {
    return (i32)dot_of_bytes<i8, i8>(a, b, (u32)c);
}

__device__ __forceinline__ i32 dp4a_u32_s32(u32 a, u32 b, i32 c) {
    return (i32)dot_of_bytes<u8, i8>(a, b, (u32)c);
}

__device__ __forceinline__ i32 dp4a_s32_u32(u32 a, u32 b, i32 c) {
    return (i32)dot_of_bytes<i8, u8>(a, b, (u32)c);
}

__device__ __forceinline__ u32 dp4a_u32_u32(u32 a, u32 b, u32 c) {
    return (u32)dot_of_bytes<u8, u8>(a, b, (u32)c);
}
