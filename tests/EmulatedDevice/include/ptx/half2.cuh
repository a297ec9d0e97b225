// Host version, for the emulated device: same functions as kernels/ptx/half2.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ u32 add_f16x2(u32 a, u32 b) {
    return emulated_f16x2(emulated_pair_add, a, b, 0);
}

__device__ __forceinline__ u32 sub_f16x2(u32 a, u32 b) {
    return emulated_f16x2(emulated_pair_sub, a, b, 0);
}

__device__ __forceinline__ u32 mul_f16x2(u32 a, u32 b) {
    return emulated_f16x2(emulated_pair_mul, a, b, 0);
}

__device__ __forceinline__ u32 fma_f16x2(u32 a, u32 b, u32 c) {
    return emulated_f16x2(emulated_pair_fma, a, b, c);
}

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ u32 fma_bf16x2(u32 a, u32 b, u32 c) {
    return emulated_bf16x2_fma(a, b, c);
}
#endif
