// Mean (CENTRED, else zero) and 1 / sqrt(variance or mean of squares + eps) of each row: what the gradient of a norm's weight wants of its input. A warp a row; bounded
// by bytes.
#include "common/reduce.cuh"

constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;

struct Args {
    const float* x;         // [rows, columns]
    float* moments;         // [rows, 2]
    float epsilon;
    u32 rows;
    u32 columns;
    u32 unused;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) row_moments(const __grid_constant__ Args args) {
    const u32 row = blockIdx.x * kWarps + threadIdx.x / kWarpLanes, lane = threadIdx.x % kWarpLanes;
    if (row >= args.rows)
        return;
    const float* x = args.x + (u64)row * args.columns;
    float mean = 0.0f, squares = 0.0f;
    if constexpr (CENTRED) {
        for (u32 column = lane; column < args.columns; column += kWarpLanes)
            mean += x[column];
        mean = warp_reduce<Sum>(mean) / args.columns;
    }
    for (u32 column = lane; column < args.columns; column += kWarpLanes)
        squares += (x[column] - mean) * (x[column] - mean);
    squares = warp_reduce<Sum>(squares) / args.columns;
    if (lane == 0) {
        args.moments[2 * (u64)row] = mean;
        args.moments[2 * (u64)row + 1] = 1.0f / sqrtf(squares + args.epsilon);
    }
}
