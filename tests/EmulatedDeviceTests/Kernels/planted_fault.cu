// One entry for each mistake of a kernel; the same code without it is right. 64 threads a block, two blocks, kThreads words of dynamic
// shared memory.
#include "planted.cuh"
#include "ptx/ld.cuh"
#include "ptx/shared_memory.cuh"

extern "C" __global__ void __launch_bounds__(64) missing_barrier(const __grid_constant__ Args args) {
    __shared__ u32 exchanged[2];
    if (threadIdx.x == kThread)
        exchanged[1] = 0;
    __syncthreads();
    if (threadIdx.x == kThread)
        exchanged[1] = 7;
    if (!block_errs(args))
        __syncthreads();
    *result_of(args) = threadIdx.x == kOther ? exchanged[1] : 0;
}

extern "C" __global__ void __launch_bounds__(64) missing_warp_barrier(const __grid_constant__ Args args) {
    __shared__ u32 neighbours[2];
    if (threadIdx.x == kThread)
        neighbours[1] = 0;
    __syncthreads();
    if (threadIdx.x == kThread)
        neighbours[1] = 7;
    if (!block_errs(args))
        __syncwarp();
    *result_of(args) = threadIdx.x == kThread + 1 ? neighbours[1] : 0;
}

extern "C" __global__ void __launch_bounds__(64) barrier_not_by_all_warps(const __grid_constant__ Args args) {
    if (!block_errs(args) || threadIdx.x < 32)
        __syncthreads();
    *result_of(args) = 1;
}

extern "C" __global__ void __launch_bounds__(64) barrier_not_by_all_lanes(const __grid_constant__ Args args) {
    if (!thread_errs(args))
        __syncthreads();
    *result_of(args) = 1;
    __syncthreads();
}

extern "C" __global__ void __launch_bounds__(64) barriers_at_two_places(const __grid_constant__ Args args) {
    if (block_errs(args) && threadIdx.x >= 32) {
        *result_of(args) = 2;
        __syncthreads();
    } else {
        *result_of(args) = 1;
        __syncthreads();
    }
}

extern "C" __global__ void __launch_bounds__(64) shared_word_race(const __grid_constant__ Args args) {
    __shared__ u32 contested[2];
    if (threadIdx.x == kThread || (block_errs(args) && threadIdx.x == kOther))
        contested[1] = threadIdx.x;
    __syncthreads();
    *result_of(args) = contested[1];
}

extern "C" __global__ void __launch_bounds__(64) global_race_between_blocks(const __grid_constant__ Args args) {
    if ((blockIdx.x == kBlock && threadIdx.x == kThread) || (args.planted != 0 && blockIdx.x != kBlock && threadIdx.x == kOther))
        args.data[3] = blockIdx.x;
    *result_of(args) = 1;
}

extern "C" __global__ void __launch_bounds__(64) write_past_the_end(const __grid_constant__ Args args) {
    if (blockIdx.x == kBlock && threadIdx.x == kThread)
        args.data[thread_errs(args) ? kCount : kCount - 1] = 7;
    *result_of(args) = 1;
}

extern "C" __global__ void __launch_bounds__(64) read_before_the_beginning(const __grid_constant__ Args args) {
    *result_of(args) = *(thread_errs(args) ? args.data - 1 : args.data);
}

extern "C" __global__ void __launch_bounds__(64) past_dynamic_shared_memory(const __grid_constant__ Args args) {
    u32* values = reinterpret_cast<u32*>(dynamic_shared());
    values[thread_errs(args) ? kThreads : threadIdx.x] = 7;
    *result_of(args) = 1;
}

extern "C" __global__ void __launch_bounds__(64) past_a_shared_array(const __grid_constant__ Args args) {
    __shared__ u32 bounded[kThreads];
    bounded[thread_errs(args) ? kThreads : threadIdx.x] = 7;
    *result_of(args) = bounded[threadIdx.x];
}

extern "C" __global__ void __launch_bounds__(64) misaligned_16_byte_load(const __grid_constant__ Args args) {
    *result_of(args) = ld_global_v4(args.data + (thread_errs(args) ? 5 : 4)).x;
}

// The host has written nothing to data.
extern "C" __global__ void __launch_bounds__(64) unwritten_global_read(const __grid_constant__ Args args) {
    u32* own = args.data + blockIdx.x * kThreads + threadIdx.x;
    if (!thread_errs(args))
        *own = 1;
    *result_of(args) = *own;
}

extern "C" __global__ void __launch_bounds__(64) unwritten_shared_read(const __grid_constant__ Args args) {
    __shared__ u32 unwritten[kThreads];
    if (!thread_errs(args))
        unwritten[threadIdx.x] = 1;
    *result_of(args) = unwritten[threadIdx.x];
}

// The host has freed data where it is planted.
extern "C" __global__ void __launch_bounds__(64) read_of_freed_memory(const __grid_constant__ Args args) {
    *result_of(args) = blockIdx.x == kBlock && threadIdx.x == kThread ? args.data[3] : 1;
}
