// cvt: conversions, rounded to nearest even. 16-bit floats travel as their bits. In the pairs the second argument becomes the lower half.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ float cvt_f32_f16(u16 a) {
    float d;
    asm("cvt.f32.f16 %0, %1;" : "=f"(d) : "h"(a));
    return d;
}

__device__ __forceinline__ u16 cvt_rn_f16_f32(float a) {
    u16 d;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(d) : "f"(a));
    return d;
}

__device__ __forceinline__ i32 cvt_rni_sat_s8_f32(float a) {
    i32 d;
    asm("cvt.rni.sat.s8.f32 %0, %1;" : "=r"(d) : "f"(a));
    return d;
}

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ u16 cvt_rn_bf16_f32(float a) {
    u16 d;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(d) : "f"(a));
    return d;
}

__device__ __forceinline__ u32 cvt_rn_bf16x2_f32(float upper, float lower) {
    u32 d;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(d) : "f"(upper), "f"(lower));
    return d;
}
#endif

// sm_75 has no such pair: two conversions and a move give the same bits there.
__device__ __forceinline__ u32 cvt_rn_f16x2_f32(float upper, float lower) {
    u32 d;
#if __CUDA_ARCH__ >= 800
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(d) : "f"(upper), "f"(lower));
#else
    asm("mov.b32 %0, {%1, %2};" : "=r"(d) : "h"(cvt_rn_f16_f32(lower)), "h"(cvt_rn_f16_f32(upper)));
#endif
    return d;
}
