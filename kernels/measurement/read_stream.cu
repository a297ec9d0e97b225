// Reads a run of memory once and adds its words up: how fast this device can be read, which is the limit of every kernel that is bounded by bytes.
// All threads of the device stand side by side and step over the run together, four 16-byte loads of each under way. A warp stores one sum, so that
// no load is left out. Loads pass L1 by and stay in L2: a run longer than L2 drives everything else out of it, and what was written there to memory.
#include "common/integers.cuh"
#include "ptx/ld.cuh"
#include "ptx/shfl.cuh"

constexpr u32 kLoads = 4;

struct Args {
    const uint4* values;    // [chunks], 16-byte aligned
    u32* sums;              // [warps of the grid], modulo 2^32
    u64 chunks;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");
static_assert(BLOCK_THREADS % kWarpLanes == 0, "whole warps");

__device__ __forceinline__ u32 sum_of(const uint4& words) {
    return words.x + words.y + (words.z + words.w);
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) read_stream(const __grid_constant__ Args args) {
    const u64 threads = (u64)gridDim.x * BLOCK_THREADS;
    const u64 thread = (u64)blockIdx.x * BLOCK_THREADS + threadIdx.x;
    u32 sum = 0;
    u64 chunk = thread;
    for (; chunk + (kLoads - 1) * threads < args.chunks; chunk += kLoads * threads) {
        uint4 loaded[kLoads];
#pragma unroll
        for (u32 i = 0; i < kLoads; i++)
            loaded[i] = ld_global_nc_no_allocate_v4(args.values + chunk + i * threads);
#pragma unroll
        for (u32 i = 0; i < kLoads; i++)
            sum += sum_of(loaded[i]);
    }
    for (; chunk < args.chunks; chunk += threads)
        sum += sum_of(ld_global_nc_no_allocate_v4(args.values + chunk));
#pragma unroll
    for (u32 distance = kWarpLanes / 2; distance > 0; distance /= 2)
        sum += shfl_sync_bfly(sum, distance);
    if (threadIdx.x % kWarpLanes == 0)
        args.sums[thread / kWarpLanes] = sum;
}
