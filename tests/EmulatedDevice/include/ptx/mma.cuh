// Host version, for the emulated device: same functions as kernels/ptx/mma.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ void mma_m16n8k8_f32_f16(float (&d)[4], u32 a0, u32 a1, u32 b0, emulated_site site = EMULATED_HERE) {
    const emulated_floats sum = emulated_mma_f32(emulated_mma_f16, 8, a0, a1, 0, 0, b0, 0, d[0], d[1], d[2], d[3], site);
    d[0] = sum.v[0], d[1] = sum.v[1], d[2] = sum.v[2], d[3] = sum.v[3];
}

__device__ __forceinline__ void mma_m16n8k8_f16_f16(u32 (&d)[2], u32 a0, u32 a1, u32 b0, emulated_site site = EMULATED_HERE) {
    const emulated_pair sum = emulated_mma_half(8, a0, a1, 0, 0, b0, 0, d[0], d[1], site);
    d[0] = sum.v[0], d[1] = sum.v[1];
}

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ void mma_m16n8k8_f32_bf16(float (&d)[4], u32 a0, u32 a1, u32 b0, emulated_site site = EMULATED_HERE) {
    const emulated_floats sum = emulated_mma_f32(emulated_mma_bf16, 8, a0, a1, 0, 0, b0, 0, d[0], d[1], d[2], d[3], site);
    d[0] = sum.v[0], d[1] = sum.v[1], d[2] = sum.v[2], d[3] = sum.v[3];
}

__device__ __forceinline__ void mma_m16n8k16_f32_bf16(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1, emulated_site site = EMULATED_HERE) {
    const emulated_floats sum = emulated_mma_f32(emulated_mma_bf16, 16, a[0], a[1], a[2], a[3], b0, b1, d[0], d[1], d[2], d[3], site);
    d[0] = sum.v[0], d[1] = sum.v[1], d[2] = sum.v[2], d[3] = sum.v[3];
}

__device__ __forceinline__ void mma_m16n8k16_f32_f16(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1, emulated_site site = EMULATED_HERE) {
    const emulated_floats sum = emulated_mma_f32(emulated_mma_f16, 16, a[0], a[1], a[2], a[3], b0, b1, d[0], d[1], d[2], d[3], site);
    d[0] = sum.v[0], d[1] = sum.v[1], d[2] = sum.v[2], d[3] = sum.v[3];
}

__device__ __forceinline__ void mma_m16n8k16_f16_f16(u32 (&d)[2], const u32 (&a)[4], u32 b0, u32 b1, emulated_site site = EMULATED_HERE) {
    const emulated_pair sum = emulated_mma_half(16, a[0], a[1], a[2], a[3], b0, b1, d[0], d[1], site);
    d[0] = sum.v[0], d[1] = sum.v[1];
}

__device__ __forceinline__ void mma_m16n8k16_s32_s8(i32 (&d)[4], u32 a0, u32 a1, u32 b0, emulated_site site = EMULATED_HERE) {
    const emulated_quad sum = emulated_mma_s32(16, a0, a1, 0, 0, b0, 0, (u32)d[0], (u32)d[1], (u32)d[2], (u32)d[3], site);
    d[0] = (i32)sum.v[0], d[1] = (i32)sum.v[1], d[2] = (i32)sum.v[2], d[3] = (i32)sum.v[3];
}

__device__ __forceinline__ void mma_m16n8k32_s32_s8(i32 (&d)[4], const u32 (&a)[4], u32 b0, u32 b1, emulated_site site = EMULATED_HERE) {
    const emulated_quad sum = emulated_mma_s32(32, a[0], a[1], a[2], a[3], b0, b1, (u32)d[0], (u32)d[1], (u32)d[2], (u32)d[3], site);
    d[0] = (i32)sum.v[0], d[1] = (i32)sum.v[1], d[2] = (i32)sum.v[2], d[3] = (i32)sum.v[3];
}
#endif
