// Host version, for the emulated device: same functions as kernels/ptx/prefetch.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ void prefetch_global_l2(const void* address, emulated_site site = EMULATED_HERE) {
    emulated_prefetch(address, site);
}
