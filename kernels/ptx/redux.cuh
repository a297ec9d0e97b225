// redux.sync (sm_80): an integer reduced over the lanes of `members`, all of which must execute it. It orders no memory.
#pragma once
#include "common/integers.cuh"

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ i32 redux_sync_add(i32 value, u32 members = kFullWarp) {
    i32 d;
    asm volatile("redux.sync.add.s32 %0, %1, %2;" : "=r"(d) : "r"(value), "r"(members));
    return d;
}

__device__ __forceinline__ i32 redux_sync_min(i32 value, u32 members = kFullWarp) {
    i32 d;
    asm volatile("redux.sync.min.s32 %0, %1, %2;" : "=r"(d) : "r"(value), "r"(members));
    return d;
}

__device__ __forceinline__ i32 redux_sync_max(i32 value, u32 members = kFullWarp) {
    i32 d;
    asm volatile("redux.sync.max.s32 %0, %1, %2;" : "=r"(d) : "r"(value), "r"(members));
    return d;
}

__device__ __forceinline__ u32 redux_sync_min(u32 value, u32 members = kFullWarp) {
    u32 d;
    asm volatile("redux.sync.min.u32 %0, %1, %2;" : "=r"(d) : "r"(value), "r"(members));
    return d;
}

__device__ __forceinline__ u32 redux_sync_max(u32 value, u32 members = kFullWarp) {
    u32 d;
    asm volatile("redux.sync.max.u32 %0, %1, %2;" : "=r"(d) : "r"(value), "r"(members));
    return d;
}
#endif
