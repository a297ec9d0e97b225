// Host version, for the emulated device: same functions as kernels/ptx/stmatrix.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

#if __CUDA_ARCH__ >= 900
__device__ __forceinline__ void stmatrix_x1(u32 row_address, u32 a, emulated_site site = EMULATED_HERE) {
    emulated_stmatrix(1, false, row_address, a, 0, 0, 0, site);
}

__device__ __forceinline__ void stmatrix_x2(u32 row_address, const u32 (&a)[2], emulated_site site = EMULATED_HERE) {
    emulated_stmatrix(2, false, row_address, a[0], a[1], 0, 0, site);
}

__device__ __forceinline__ void stmatrix_x4(u32 row_address, const u32 (&a)[4], emulated_site site = EMULATED_HERE) {
    emulated_stmatrix(4, false, row_address, a[0], a[1], a[2], a[3], site);
}

__device__ __forceinline__ void stmatrix_x1_trans(u32 row_address, u32 a, emulated_site site = EMULATED_HERE) {
    emulated_stmatrix(1, true, row_address, a, 0, 0, 0, site);
}

__device__ __forceinline__ void stmatrix_x2_trans(u32 row_address, const u32 (&a)[2], emulated_site site = EMULATED_HERE) {
    emulated_stmatrix(2, true, row_address, a[0], a[1], 0, 0, site);
}

__device__ __forceinline__ void stmatrix_x4_trans(u32 row_address, const u32 (&a)[4], emulated_site site = EMULATED_HERE) {
    emulated_stmatrix(4, true, row_address, a[0], a[1], a[2], a[3], site);
}
#endif
