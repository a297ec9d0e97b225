// Adds to row s of the output the rows s, s + period, s + 2 period ... of the gradient; of a norm's weight (NORMED), each element times the normed input. A block has
// 32 columns of one row of the output; its warps take rows in turns, and their sums are added in the order of the warps. Bounded by bytes.
#include "common/integers.cuh"

constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;

struct Args {
    const float* gradient;  // [rows, columns]
    const float* x;         // NORMED: [rows, columns]
    const float* moments;   // NORMED: [rows, 2], mean and factor
    float* output;          // [count, columns], added to
    u32 rows;
    u32 columns;
    u32 period;
    u32 unused;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) column_sums(const __grid_constant__ Args args) {
    __shared__ float sums[kWarps][kWarpLanes];
    const u32 lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes, column = blockIdx.x * kWarpLanes + lane;
    float sum = 0.0f;
    if (column < args.columns)
        for (u64 row = blockIdx.y + (u64)warp * args.period; row < args.rows; row += (u64)kWarps * args.period) {
            const u64 place = row * args.columns + column;
            if constexpr (NORMED)
                sum += args.gradient[place] * ((args.x[place] - args.moments[2 * row]) * args.moments[2 * row + 1]);
            else
                sum += args.gradient[place];
        }
    sums[warp][lane] = sum;
    __syncthreads();
    if (warp != 0 || column >= args.columns)
        return;
    for (u32 other = 1; other < kWarps; other++)
        sum += sums[other][lane];
    args.output[(u64)blockIdx.y * args.columns + column] += sum;
}
