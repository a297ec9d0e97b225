// Host version, for the emulated device: same functions as kernels/ptx/cvt.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ float cvt_f32_f16(u16 a) {
    return emulated_f32_from_f16(a);
}

__device__ __forceinline__ u16 cvt_rn_f16_f32(float a) {
    return emulated_f16_from_f32(a);
}

__device__ __forceinline__ i32 cvt_rni_sat_s8_f32(float a) {
    if (a != a)
        return 0;
    return (i32)rintf(a < -128.0f ? -128.0f : a > 127.0f ? 127.0f : a);
}

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ u16 cvt_rn_bf16_f32(float a) {
    return emulated_bf16_from_f32(a);
}

__device__ __forceinline__ u32 cvt_rn_bf16x2_f32(float upper, float lower) {
    return (u32)emulated_bf16_from_f32(upper) << 16 | emulated_bf16_from_f32(lower);
}
#endif

__device__ __forceinline__ u32 cvt_rn_f16x2_f32(float upper, float lower) {
    return (u32)emulated_f16_from_f32(upper) << 16 | emulated_f16_from_f32(lower);
}
