// Sums of squares of blocks of BLOCK_ELEMENTS, in double, for the norm by which gradients are clipped: the host adds them in their order, so the norm does not depend on
// the device. Within a block threads take elements in turns, and their sums are added in the order of the threads' binary tree. Bounded by bytes.
#include "common/integers.cuh"

struct Args {
    const float* values;    // [count]
    double* sums;           // [blocks]
    u64 count;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");
static_assert((BLOCK_THREADS & (BLOCK_THREADS - 1)) == 0, "a binary tree");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) sum_of_squares(const __grid_constant__ Args args) {
    __shared__ double sums[BLOCK_THREADS];
    const u64 begin = (u64)blockIdx.x * BLOCK_ELEMENTS, end = begin + BLOCK_ELEMENTS < args.count ? begin + BLOCK_ELEMENTS : args.count;
    double sum = 0.0;
    for (u64 place = begin + threadIdx.x; place < end; place += BLOCK_THREADS)
        sum += (double)args.values[place] * args.values[place];
    sums[threadIdx.x] = sum;
    __syncthreads();
    for (u32 distance = BLOCK_THREADS / 2; distance > 0; distance /= 2) {
        if (threadIdx.x < distance)
            sums[threadIdx.x] += sums[threadIdx.x + distance];
        __syncthreads();
    }
    if (threadIdx.x == 0)
        args.sums[blockIdx.x] = sums[0];
}
