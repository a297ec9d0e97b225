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

// D += A · B over 32 columns of K, whose sum is formed in f16: the tensor cores of consumer cards do that twice as fast, and registers go on in f32.
#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ void multiply_two_steps_in_half(float (&d)[4], const u32 (&a)[2][4], const u32 (&b)[2][2]) {
    u32 half[2] = {0, 0};
    mma_m16n8k16_f16_f16(half, a[0], b[0][0], b[0][1]);
    mma_m16n8k16_f16_f16(half, a[1], b[1][0], b[1][1]);
#pragma unroll
    for (u32 row = 0; row < 2; row++) {
        d[2 * row] += lower_of<f16>(half[row]);
        d[2 * row + 1] += upper_of<f16>(half[row]);
    }
}

template <>
__device__ __forceinline__ void multiply_step<bf16>(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
    mma_m16n8k16_f32_bf16(d, a, b0, b1);
}
#endif
