// Host version, for the emulated device: same functions as kernels/ptx/nanosleep.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ void nanosleep(u32 nanoseconds) {
    (void)nanoseconds;
    emulated_yield();
}
