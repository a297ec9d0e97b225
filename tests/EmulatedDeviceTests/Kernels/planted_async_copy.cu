// Mistakes with cp.async, which sm_75 has not. As planted_fault.cu.
#include "planted.cuh"
#include "ptx/cp_async.cuh"
#include "ptx/shared_memory.cuh"

extern "C" __global__ void __launch_bounds__(64) async_copy_without_wait(const __grid_constant__ Args args) {
    __shared__ __align__(16) u32 copied[kThreads * 4];
    cp_async_cg_16(cvta_to_shared(copied + threadIdx.x * 4), args.data + threadIdx.x * 4);
    cp_async_commit_group();
    if (!thread_errs(args))
        cp_async_wait_group<0>();
    *result_of(args) = copied[threadIdx.x * 4];
}

// The older of two groups is waited for, the younger is read.
extern "C" __global__ void __launch_bounds__(64) async_copy_of_a_younger_group(const __grid_constant__ Args args) {
    __shared__ __align__(16) u32 older[kThreads * 4];
    __shared__ __align__(16) u32 younger[kThreads * 4];
    cp_async_cg_16(cvta_to_shared(older + threadIdx.x * 4), args.data);
    cp_async_commit_group();
    cp_async_cg_16(cvta_to_shared(younger + threadIdx.x * 4), args.data + 4);
    cp_async_commit_group();
    cp_async_wait_group<1>();
    const u32 first = older[threadIdx.x * 4];
    if (!thread_errs(args))
        cp_async_wait_group<0>();
    *result_of(args) = first + younger[threadIdx.x * 4];
}
