// Host version, for the emulated device: same functions as kernels/ptx/atom.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ u32 atom_add_relaxed_gpu_u32(u32* address, u32 a, emulated_site site = EMULATED_HERE) {
    return emulated_atomic_u32(emulated_add, address, a, 0, emulated_relaxed, site);
}

__device__ __forceinline__ u32 atom_add_acq_rel_gpu_u32(u32* address, u32 a, emulated_site site = EMULATED_HERE) {
    return emulated_atomic_u32(emulated_add, address, a, 0, emulated_acquire_release, site);
}

__device__ __forceinline__ u32 atom_exch_relaxed_gpu_u32(u32* address, u32 a, emulated_site site = EMULATED_HERE) {
    return emulated_atomic_u32(emulated_exchange, address, a, 0, emulated_relaxed, site);
}

__device__ __forceinline__ u32 atom_cas_acq_rel_gpu_u32(u32* address, u32 expected, u32 a, emulated_site site = EMULATED_HERE) {
    return emulated_atomic_u32(emulated_compare_exchange, address, a, expected, emulated_acquire_release, site);
}

__device__ __forceinline__ u64 atom_max_relaxed_gpu_u64(u64* address, u64 a, emulated_site site = EMULATED_HERE) {
    return emulated_atomic_u64(emulated_max, address, a, 0, emulated_relaxed, site);
}

__device__ __forceinline__ void red_add_relaxed_gpu_u32(u32* address, u32 a, emulated_site site = EMULATED_HERE) {
    emulated_atomic_u32(emulated_add, address, a, 0, emulated_relaxed, site);
}

__device__ __forceinline__ void red_add_release_gpu_u32(u32* address, u32 a, emulated_site site = EMULATED_HERE) {
    emulated_atomic_u32(emulated_add, address, a, 0, emulated_release, site);
}

__device__ __forceinline__ void red_add_relaxed_gpu_f32(float* address, float a, emulated_site site = EMULATED_HERE) {
    emulated_atomic_u32(emulated_add_f32, address, __float_as_uint(a), 0, emulated_relaxed, site);
}
