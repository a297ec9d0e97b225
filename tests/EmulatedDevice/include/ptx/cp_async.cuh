// Host version, for the emulated device: same functions as kernels/ptx/cp_async.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ void cp_async_cg_16(u32 shared_address, const void* global, u32 source_bytes = 16, emulated_site site = EMULATED_HERE) {
    emulated_async_copy(shared_address, global, 16, source_bytes, site);
}

__device__ __forceinline__ void cp_async_ca_16(u32 shared_address, const void* global, u32 source_bytes = 16, emulated_site site = EMULATED_HERE) {
    emulated_async_copy(shared_address, global, 16, source_bytes, site);
}

__device__ __forceinline__ void cp_async_ca_8(u32 shared_address, const void* global, u32 source_bytes = 8, emulated_site site = EMULATED_HERE) {
    emulated_async_copy(shared_address, global, 8, source_bytes, site);
}

__device__ __forceinline__ void cp_async_ca_4(u32 shared_address, const void* global, u32 source_bytes = 4, emulated_site site = EMULATED_HERE) {
    emulated_async_copy(shared_address, global, 4, source_bytes, site);
}

__device__ __forceinline__ void cp_async_commit_group() {
    emulated_async_commit();
}

template <u32 pending>
__device__ __forceinline__ void cp_async_wait_group() {
    emulated_async_wait(pending);
}

__device__ __forceinline__ void cp_async_wait_all() {
    emulated_async_wait_all();
}
#endif
