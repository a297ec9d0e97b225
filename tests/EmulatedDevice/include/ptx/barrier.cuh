// Host version, for the emulated device: same functions as kernels/ptx/barrier.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ void bar_sync(u32 id, u32 threads, emulated_site site = EMULATED_HERE) {
    emulated_barrier(id, threads, true, site);
}

__device__ __forceinline__ void bar_arrive(u32 id, u32 threads, emulated_site site = EMULATED_HERE) {
    emulated_barrier(id, threads, false, site);
}
