// Sums and maxima over a warp or a block, in a fixed order, so that a result does not depend on who came first.
#pragma once
#include "common/integers.cuh"
#include "ptx/shfl.cuh"

struct Sum {
    static __device__ __forceinline__ float combine(float a, float b) { return a + b; }
    static __device__ __forceinline__ float identity() { return 0.0f; }
};

struct Maximum {
    static __device__ __forceinline__ float combine(float a, float b) { return fmaxf(a, b); }
    static __device__ __forceinline__ float identity() { return __uint_as_float(0xFF800000u); }
};

// Every lane of each segment of `width` lanes gets the segment's result.
template <typename Operation, u32 width = kWarpLanes>
__device__ __forceinline__ float warp_reduce(float value) {
    static_assert(width >= 1 && width <= kWarpLanes && (width & (width - 1)) == 0, "a power of two");
#pragma unroll
    for (u32 distance = width / 2; distance > 0; distance /= 2)
        value = Operation::combine(value, shfl_sync_bfly(value, distance, width));
    return value;
}

// Every thread of the block gets the result. partials: shared memory [threads / 32], free to be written when the block arrives here;
// it may be written again after the next barrier. All threads of a block of whole warps take part.
template <typename Operation, u32 threads>
__device__ __forceinline__ float block_reduce(float value, float* partials) {
    static_assert(threads % kWarpLanes == 0 && threads <= 1024, "whole warps");
    constexpr u32 warps = threads / kWarpLanes;
    value = warp_reduce<Operation>(value);
    if constexpr (warps == 1)
        return value;
    const u32 lane = threadIdx.x % kWarpLanes;
    if (lane == 0)
        partials[threadIdx.x / kWarpLanes] = value;
    __syncthreads();
    return warp_reduce<Operation>(lane < warps ? partials[lane] : Operation::identity());
}
