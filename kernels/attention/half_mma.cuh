// m16n8k16 of 16-bit storage with f32 sums; sm_75 does it in two steps of k = 8, in f16 only.
#pragma once
#include "common/types.cuh"
#include "ptx/mma.cuh"

template <typename T>
__device__ __forceinline__ void mma_m16n8k16(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1);

template <>
__device__ __forceinline__ void mma_m16n8k16<f16>(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#if __CUDA_ARCH__ >= 800
    mma_m16n8k16_f32_f16(d, a, b0, b1);
#else
    mma_m16n8k8_f32_f16(d, a[0], a[1], b0);
    mma_m16n8k8_f32_f16(d, a[2], a[3], b1);
#endif
}

#if __CUDA_ARCH__ >= 800
template <>
__device__ __forceinline__ void mma_m16n8k16<bf16>(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    mma_m16n8k16_f32_bf16(d, a, b0, b1);
}
#endif
