// Host version, for the emulated device: same functions as kernels/ptx/redux.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ i32 redux_sync_add(i32 value, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return (i32)emulated_redux(emulated_reduce_add, (u32)value, members, site);
}

__device__ __forceinline__ i32 redux_sync_min(i32 value, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return (i32)emulated_redux(emulated_reduce_min_s32, (u32)value, members, site);
}

__device__ __forceinline__ i32 redux_sync_max(i32 value, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return (i32)emulated_redux(emulated_reduce_max_s32, (u32)value, members, site);
}

__device__ __forceinline__ u32 redux_sync_min(u32 value, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return (u32)emulated_redux(emulated_reduce_min_u32, (u32)value, members, site);
}

__device__ __forceinline__ u32 redux_sync_max(u32 value, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return (u32)emulated_redux(emulated_reduce_max_u32, (u32)value, members, site);
}
#endif
