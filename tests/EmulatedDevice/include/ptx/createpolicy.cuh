// Host version, for the emulated device: same functions as kernels/ptx/createpolicy.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ u64 createpolicy_evict_first() {
    return 1;
}

__device__ __forceinline__ u64 createpolicy_evict_last() {
    return 2;
}
#endif
