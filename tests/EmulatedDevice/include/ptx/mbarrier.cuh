// Host version, for the emulated device: same functions as kernels/ptx/mbarrier.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

#if __CUDA_ARCH__ >= 900
__device__ __forceinline__ void mbarrier_init(u32 barrier, u32 count, emulated_site site = EMULATED_HERE) {
    emulated_mbarrier_init(barrier, count, site);
}

__device__ __forceinline__ void mbarrier_inval(u32 barrier, emulated_site site = EMULATED_HERE) {
    emulated_mbarrier_inval(barrier, site);
}

__device__ __forceinline__ void fence_mbarrier_init() {
    emulated_mbarrier_fence_init();
}

__device__ __forceinline__ void mbarrier_arrive(u32 barrier, emulated_site site = EMULATED_HERE) {
    emulated_mbarrier_arrive(barrier, 0, site);
}

__device__ __forceinline__ void mbarrier_arrive_expect_tx(u32 barrier, u32 bytes, emulated_site site = EMULATED_HERE) {
    emulated_mbarrier_arrive(barrier, bytes, site);
}

__device__ __forceinline__ bool mbarrier_try_wait_parity(u32 barrier, u32 parity, emulated_site site = EMULATED_HERE) {
    return emulated_mbarrier_try_wait(barrier, parity, site);
}
#endif
