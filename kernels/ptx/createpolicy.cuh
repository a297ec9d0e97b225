// createpolicy (sm_80): an L2 eviction policy for loads that take one. Make it once, in a register.
#pragma once
#include "common/integers.cuh"

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ u64 createpolicy_evict_first() {
    u64 d;
    asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(d));
    return d;
}

__device__ __forceinline__ u64 createpolicy_evict_last() {
    u64 d;
    asm volatile("createpolicy.fractional.L2::evict_last.b64 %0, 1.0;" : "=l"(d));
    return d;
}
#endif
