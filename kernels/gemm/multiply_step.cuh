// Sixteen columns of K on tensor cores: one mma m16n8k16, or two m16n8k8 before sm_80. The layout is that of ptx/mma.cuh.
#pragma once
#include "common/types.cuh"
#include "ptx/mma.cuh"

// D += A · B over 16 columns of K.
template <typename T>
__device__ __forceinline__ void multiply_step(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1);

template <>
__device__ __forceinline__ void multiply_step<f16>(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#if __CUDA_ARCH__ >= 800
    mma_m16n8k16_f32_f16(d, a, b0, b1);
#else
    mma_m16n8k8_f32_f16(d, a[0], a[1], b0);
    mma_m16n8k8_f32_f16(d, a[2], a[3], b1);
#endif
}

#if __CUDA_ARCH__ >= 800
template <>
__device__ __forceinline__ void multiply_step<bf16>(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    mma_m16n8k16_f32_bf16(d, a, b0, b1);
}
#endif
