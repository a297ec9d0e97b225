// Host version, for the emulated device: same functions as kernels/ptx/wgmma.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

#if __CUDA_ARCH_FEAT_SM90_ALL
__device__ __forceinline__ u64 matrix_descriptor(u32 shared_address, u32 leading_bytes, u32 stride_bytes) {
    return (u64)((shared_address & 0x3FFFF) >> 4) | (u64)(leading_bytes >> 4) << 16 | (u64)(stride_bytes >> 4) << 32 | 1ull << 62;
}

__device__ __forceinline__ void wgmma_fence(emulated_site site = EMULATED_HERE) {
    emulated_wgmma_fence(site);
}

__device__ __forceinline__ void wgmma_commit_group(emulated_site site = EMULATED_HERE) {
    emulated_wgmma_commit(site);
}

template <u32 pending>
__device__ __forceinline__ void wgmma_wait_group(emulated_site site = EMULATED_HERE) {
    static_assert(pending <= 7, "as the instruction has it");
    emulated_wgmma_wait(pending, site);
}

template <bool transposed_a = false, bool transposed_b = false>
__device__ __forceinline__ void wgmma_m64n8k16_f32_bf16(float (&d)[4], u64 a, u64 b, emulated_site site = EMULATED_HERE) {
    emulated_wgmma(8, true, true, nullptr, a, transposed_a, b, transposed_b, d, site);
}

template <bool transposed_a = false, bool transposed_b = false>
__device__ __forceinline__ void wgmma_m64n64k16_f32_bf16(float (&d)[32], u64 a, u64 b, emulated_site site = EMULATED_HERE) {
    emulated_wgmma(64, true, true, nullptr, a, transposed_a, b, transposed_b, d, site);
}

template <bool transposed_a = false, bool transposed_b = false>
__device__ __forceinline__ void wgmma_m64n128k16_f32_bf16(float (&d)[64], u64 a, u64 b, emulated_site site = EMULATED_HERE) {
    emulated_wgmma(128, true, true, nullptr, a, transposed_a, b, transposed_b, d, site);
}

template <bool transposed_b = false>
__device__ __forceinline__ void wgmma_m64n64k16_f32_bf16(float (&d)[32], const u32 (&a)[4], u64 b, emulated_site site = EMULATED_HERE) {
    emulated_wgmma(64, true, true, a, 0, false, b, transposed_b, d, site);
}
#endif
