// shfl.sync: a register of another lane. width (a power of two up to 32) cuts the warp into segments; out of the segment a lane gets its own value,
// idx wraps within the segment. Every lane of `members` must execute it. It orders no memory.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ u32 shfl_sync_bfly(u32 value, u32 lane_mask, u32 width = kWarpLanes, u32 members = kFullWarp) {
    u32 d;
    asm volatile("shfl.sync.bfly.b32 %0, %1, %2, %3, %4;" : "=r"(d) : "r"(value), "r"(lane_mask), "r"((32 - width) << 8 | 31), "r"(members));
    return d;
}

__device__ __forceinline__ u32 shfl_sync_down(u32 value, u32 delta, u32 width = kWarpLanes, u32 members = kFullWarp) {
    u32 d;
    asm volatile("shfl.sync.down.b32 %0, %1, %2, %3, %4;" : "=r"(d) : "r"(value), "r"(delta), "r"((32 - width) << 8 | 31), "r"(members));
    return d;
}

__device__ __forceinline__ u32 shfl_sync_up(u32 value, u32 delta, u32 width = kWarpLanes, u32 members = kFullWarp) {
    u32 d;
    asm volatile("shfl.sync.up.b32 %0, %1, %2, %3, %4;" : "=r"(d) : "r"(value), "r"(delta), "r"((32 - width) << 8), "r"(members));
    return d;
}

__device__ __forceinline__ u32 shfl_sync_idx(u32 value, u32 lane, u32 width = kWarpLanes, u32 members = kFullWarp) {
    u32 d;
    asm volatile("shfl.sync.idx.b32 %0, %1, %2, %3, %4;" : "=r"(d) : "r"(value), "r"(lane), "r"((32 - width) << 8 | 31), "r"(members));
    return d;
}

__device__ __forceinline__ float shfl_sync_bfly(float value, u32 lane_mask, u32 width = kWarpLanes, u32 members = kFullWarp) {
    return __uint_as_float(shfl_sync_bfly(__float_as_uint(value), lane_mask, width, members));
}

__device__ __forceinline__ float shfl_sync_down(float value, u32 delta, u32 width = kWarpLanes, u32 members = kFullWarp) {
    return __uint_as_float(shfl_sync_down(__float_as_uint(value), delta, width, members));
}

__device__ __forceinline__ float shfl_sync_up(float value, u32 delta, u32 width = kWarpLanes, u32 members = kFullWarp) {
    return __uint_as_float(shfl_sync_up(__float_as_uint(value), delta, width, members));
}

__device__ __forceinline__ float shfl_sync_idx(float value, u32 lane, u32 width = kWarpLanes, u32 members = kFullWarp) {
    return __uint_as_float(shfl_sync_idx(__float_as_uint(value), lane, width, members));
}
