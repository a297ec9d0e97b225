// Host version, for the emulated device: same functions as kernels/ptx/shared_memory.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

// The most that a tile's swizzle or a bulk copy asks for.
constexpr u32 kDynamicSharedAlignment = 1024;

__device__ __forceinline__ u32 cvta_to_shared(const void* generic) {
    return emulated_shared_address(generic);
}

__device__ __forceinline__ u8* dynamic_shared() {
    return emulated_dynamic_shared();
}
