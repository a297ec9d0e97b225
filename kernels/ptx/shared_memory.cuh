// Shared memory as instructions see it: 32-bit addresses in the block's own window, and the part whose size the launch gives.
#pragma once
#include "common/integers.cuh"

// The most that a tile's swizzle or a bulk copy asks for.
constexpr u32 kDynamicSharedAlignment = 1024;

__device__ __forceinline__ u32 cvta_to_shared(const void* generic) {
    return (u32)__cvta_generic_to_shared(generic);
}

__device__ __forceinline__ u8* dynamic_shared() {
    extern __shared__ __align__(1024) u8 dynamic_shared_bytes[];
    return dynamic_shared_bytes;
}
