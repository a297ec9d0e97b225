// Host version, for the emulated device: same functions as kernels/ptx/ldmatrix.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ void ldmatrix_x1(u32& d, u32 row_address, emulated_site site = EMULATED_HERE) {
    d = emulated_ldmatrix(1, false, row_address, site).v[0];
}

__device__ __forceinline__ void ldmatrix_x2(u32 (&d)[2], u32 row_address, emulated_site site = EMULATED_HERE) {
    const emulated_quad rows = emulated_ldmatrix(2, false, row_address, site);
    d[0] = rows.v[0], d[1] = rows.v[1];
}

__device__ __forceinline__ void ldmatrix_x4(u32 (&d)[4], u32 row_address, emulated_site site = EMULATED_HERE) {
    const emulated_quad rows = emulated_ldmatrix(4, false, row_address, site);
    d[0] = rows.v[0], d[1] = rows.v[1], d[2] = rows.v[2], d[3] = rows.v[3];
}

__device__ __forceinline__ void ldmatrix_x1_trans(u32& d, u32 row_address, emulated_site site = EMULATED_HERE) {
    d = emulated_ldmatrix(1, true, row_address, site).v[0];
}

__device__ __forceinline__ void ldmatrix_x2_trans(u32 (&d)[2], u32 row_address, emulated_site site = EMULATED_HERE) {
    const emulated_quad rows = emulated_ldmatrix(2, true, row_address, site);
    d[0] = rows.v[0], d[1] = rows.v[1];
}

__device__ __forceinline__ void ldmatrix_x4_trans(u32 (&d)[4], u32 row_address, emulated_site site = EMULATED_HERE) {
    const emulated_quad rows = emulated_ldmatrix(4, true, row_address, site);
    d[0] = rows.v[0], d[1] = rows.v[1], d[2] = rows.v[2], d[3] = rows.v[3];
}
