// Host version, for the emulated device: same functions as kernels/ptx/movmatrix.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ u32 movmatrix_trans(u32 a, emulated_site site = EMULATED_HERE) {
    return emulated_movmatrix(a, site);
}
