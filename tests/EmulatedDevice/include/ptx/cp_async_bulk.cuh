// Host version, for the emulated device: same functions as kernels/ptx/cp_async_bulk.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

struct __align__(64) TensorMap {
    u64 opaque[16];
};

#if __CUDA_ARCH__ >= 900
__device__ __forceinline__ void cp_async_bulk_tensor_2d_load(u32 shared_address, const TensorMap* map, i32 x, i32 y, u32 barrier,
                                                             emulated_site site = EMULATED_HERE) {
    const i32 coordinates[] = {x, y};
    emulated_bulk_tensor_load(shared_address, map, 2, coordinates, barrier, site);
}

__device__ __forceinline__ void cp_async_bulk_tensor_3d_load(u32 shared_address, const TensorMap* map, i32 x, i32 y, i32 z, u32 barrier,
                                                             emulated_site site = EMULATED_HERE) {
    const i32 coordinates[] = {x, y, z};
    emulated_bulk_tensor_load(shared_address, map, 3, coordinates, barrier, site);
}

__device__ __forceinline__ void cp_async_bulk_tensor_2d_store(const TensorMap* map, i32 x, i32 y, u32 shared_address, emulated_site site = EMULATED_HERE) {
    const i32 coordinates[] = {x, y};
    emulated_bulk_tensor_store(map, 2, coordinates, shared_address, site);
}

__device__ __forceinline__ void cp_async_bulk_load(u32 shared_address, const void* global, u32 bytes, u32 barrier, emulated_site site = EMULATED_HERE) {
    emulated_bulk_load(shared_address, global, bytes, barrier, site);
}

__device__ __forceinline__ void cp_async_bulk_store(void* global, u32 shared_address, u32 bytes, emulated_site site = EMULATED_HERE) {
    emulated_bulk_store(global, shared_address, bytes, site);
}

__device__ __forceinline__ void cp_async_bulk_commit_group() {
    emulated_bulk_commit();
}

template <u32 pending>
__device__ __forceinline__ void cp_async_bulk_wait_group() {
    emulated_bulk_wait(pending, false);
}

template <u32 pending>
__device__ __forceinline__ void cp_async_bulk_wait_group_read() {
    emulated_bulk_wait(pending, true);
}
#endif
