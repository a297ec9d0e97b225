// Host version, for the emulated device: same functions as kernels/ptx/special_registers.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ u32 laneid() {
    return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32;
}

__device__ __forceinline__ u32 smid() {
    return 0;
}

__device__ __forceinline__ u64 globaltimer() {
    return emulated_nanoseconds();
}
