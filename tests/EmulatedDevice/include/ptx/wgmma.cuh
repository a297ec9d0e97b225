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

#define EMULATED_WGMMA(columns, type, is_bf16)                                                                                                       \
    template <bool transposed_a = false, bool transposed_b = false>                                                                                  \
    __device__ __forceinline__ void wgmma_m64n##columns##k16_f32_##type(float (&d)[columns / 2], u64 a, u64 b, emulated_site site = EMULATED_HERE) { \
        emulated_wgmma(columns, is_bf16, true, nullptr, a, transposed_a, b, transposed_b, d, site);                                                  \
    }

EMULATED_WGMMA(64, bf16, true)
EMULATED_WGMMA(64, f16, false)
EMULATED_WGMMA(80, bf16, true)
EMULATED_WGMMA(80, f16, false)
EMULATED_WGMMA(128, bf16, true)
EMULATED_WGMMA(128, f16, false)
EMULATED_WGMMA(160, bf16, true)
EMULATED_WGMMA(160, f16, false)
EMULATED_WGMMA(176, bf16, true)
EMULATED_WGMMA(176, f16, false)
EMULATED_WGMMA(192, bf16, true)
EMULATED_WGMMA(192, f16, false)
EMULATED_WGMMA(240, bf16, true)
EMULATED_WGMMA(240, f16, false)
EMULATED_WGMMA(256, bf16, true)
EMULATED_WGMMA(256, f16, false)

#undef EMULATED_WGMMA

template <bool transposed_b = false>
__device__ __forceinline__ void wgmma_m64n64k16_f32_bf16(float (&d)[32], const u32 (&a)[4], u64 b, emulated_site site = EMULATED_HERE) {
    emulated_wgmma(64, true, true, a, 0, false, b, transposed_b, d, site);
}
#endif
