// Named barriers 1 to 15, for some warps of a block (0 is __syncthreads). threads: a multiple of 32, the same at every arrival.
// All lanes of a warp execute the same one.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ void bar_sync(u32 id, u32 threads) {
    asm volatile("bar.sync %0, %1;" :: "r"(id), "r"(threads) : "memory");
}
