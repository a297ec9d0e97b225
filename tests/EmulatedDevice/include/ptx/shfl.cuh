// Host version, for the emulated device: same functions as kernels/ptx/shfl.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ u32 shfl_sync_bfly(u32 value, u32 lane_mask, u32 width = kWarpLanes, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return emulated_shuffle(emulated_shuffle_butterfly, value, lane_mask, (32 - width) << 8 | 31, members, site);
}

__device__ __forceinline__ u32 shfl_sync_down(u32 value, u32 delta, u32 width = kWarpLanes, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return emulated_shuffle(emulated_shuffle_down, value, delta, (32 - width) << 8 | 31, members, site);
}

__device__ __forceinline__ u32 shfl_sync_up(u32 value, u32 delta, u32 width = kWarpLanes, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return emulated_shuffle(emulated_shuffle_up, value, delta, (32 - width) << 8, members, site);
}

__device__ __forceinline__ u32 shfl_sync_idx(u32 value, u32 lane, u32 width = kWarpLanes, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return emulated_shuffle(emulated_shuffle_index, value, lane, (32 - width) << 8 | 31, members, site);
}

__device__ __forceinline__ float shfl_sync_bfly(float value, u32 lane_mask, u32 width = kWarpLanes, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return __uint_as_float(shfl_sync_bfly(__float_as_uint(value), lane_mask, width, members, site));
}

__device__ __forceinline__ float shfl_sync_down(float value, u32 delta, u32 width = kWarpLanes, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return __uint_as_float(shfl_sync_down(__float_as_uint(value), delta, width, members, site));
}

__device__ __forceinline__ float shfl_sync_up(float value, u32 delta, u32 width = kWarpLanes, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return __uint_as_float(shfl_sync_up(__float_as_uint(value), delta, width, members, site));
}

__device__ __forceinline__ float shfl_sync_idx(float value, u32 lane, u32 width = kWarpLanes, u32 members = kFullWarp, emulated_site site = EMULATED_HERE) {
    return __uint_as_float(shfl_sync_idx(__float_as_uint(value), lane, width, members, site));
}
