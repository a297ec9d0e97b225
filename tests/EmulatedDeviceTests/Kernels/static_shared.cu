// STATIC_WORDS words of static shared memory, one for each thread in use.
#include "common/integers.cuh"

struct Args {
    u32* result;    // [blockDim.x]
};

static_assert(sizeof(Args) == 8, "as the host has it");

extern "C" __global__ void __launch_bounds__(64) static_shared(const __grid_constant__ Args args) {
    __shared__ u32 values[STATIC_WORDS];
    values[STATIC_WORDS - 1 - threadIdx.x] = threadIdx.x;
    __syncthreads();
    args.result[threadIdx.x] = values[STATIC_WORDS - 64 + threadIdx.x];
}
