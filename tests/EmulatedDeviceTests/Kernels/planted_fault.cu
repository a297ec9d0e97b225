// One mistake, named by FAULT, or with PLANTED=0 the same code without it.
#include "common/integers.cuh"
#include "ptx/cp_async.cuh"
#include "ptx/ld.cuh"
#include "ptx/shared_memory.cuh"

struct Args {
    u32* data;      // [count]
    u32* result;    // [BLOCK_THREADS x blocks]
    u32 count;
};

static_assert(sizeof(Args) == 24, "as the host has it");

#define MISSING_BARRIER 1
#define DIVERGENT_BARRIER 2
#define SHARED_RACE 3
#define OUT_OF_BOUNDS 4
#define MISALIGNED 5
#define UNINITIALISED 6
#define UNWAITED_COPY 7
#define GLOBAL_RACE 8
#define READ 9

extern "C" __global__ void __launch_bounds__(64) planted_fault(const __grid_constant__ Args args) {
    const u32 thread = threadIdx.x;
    const u32 index = blockIdx.x * 64 + thread;
#if FAULT == MISSING_BARRIER
    __shared__ u32 values[64];
    values[thread] = 0;
    __syncthreads();
    values[thread] = thread;
#if !PLANTED
    __syncthreads();
#endif
    args.result[index] = values[(thread + 1) % 64];
#elif FAULT == DIVERGENT_BARRIER
    if (!PLANTED || thread < 32)
        __syncthreads();
    args.result[index] = thread;
#elif FAULT == SHARED_RACE
    __shared__ u32 value;
    if (PLANTED ? thread < 2 : thread == 1)
        value = thread;
    __syncthreads();
    args.result[index] = value;
#elif FAULT == OUT_OF_BOUNDS
    args.result[index] = args.data[thread % args.count];
    if (index == 5)
        args.data[PLANTED ? args.count : args.count - 1] = 7;
#elif FAULT == MISALIGNED
    args.result[index] = ld_global_v4(args.data + (PLANTED && thread == 3 ? 1 : 4)).x;
#elif FAULT == UNINITIALISED
    args.result[index] = thread == 9 ? args.data[0] : 1;
#elif FAULT == UNWAITED_COPY
    __shared__ __align__(16) u32 copied[64 * 4];
    cp_async_cg_16(cvta_to_shared(copied + thread * 4), args.data + thread * 4);
    cp_async_commit_group();
#if !PLANTED
    cp_async_wait_group<0>();
#endif
    args.result[index] = copied[thread * 4];
#elif FAULT == GLOBAL_RACE
    if (thread == 0 && (PLANTED || blockIdx.x == 0))
        args.data[1] = blockIdx.x;
    args.result[index] = thread;
#else
    args.result[index] = args.data[thread % args.count];
#endif
}
