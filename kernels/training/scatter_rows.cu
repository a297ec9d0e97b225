// Row r of the output receives the sum of the gradient's rows i with rows[i] == r, in the order of i; rows with unless[i] >= 0 are left out. A block a row of the
// output, which is zero where nothing names it; or, where it ADDS to many rows of which few are named, a block a row of the gradient, which works if it is the first
// of those that name its row. So each row has one writer. Bounded by bytes.
#include "common/integers.cuh"
#include "ptx/vote.cuh"

struct Args {
    const float* gradient;  // [rows, columns]
    const i32* row_of;      // [rows]; negative names none
    const i32* unless;      // [rows]; null for none
    float* output;          // [output_rows, columns]
    u32 rows;
    u32 columns;
    u32 output_rows;
    u32 unused;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");

// Which of 32 rows from `first` on name the target, as bits. By whole warps.
__device__ __forceinline__ u32 naming(const Args& args, u32 first, u32 end, i32 target) {
    const u32 row = first + threadIdx.x % kWarpLanes, there = row < end ? row : 0;
    return vote_sync_ballot(row < end && args.row_of[there] == target && (args.unless == nullptr || args.unless[there] < 0));
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) scatter_rows(const __grid_constant__ Args args) {
    const i32 target = ADDS ? args.row_of[blockIdx.x] : (i32)blockIdx.x;
    if (target < 0 || (u32)target >= args.output_rows)
        return;
    u32 begin = 0;
    if constexpr (ADDS) {
        begin = blockIdx.x;
        if (args.unless != nullptr && args.unless[begin] >= 0)
            return;
        for (u32 first = 0; first < begin; first += kWarpLanes)
            if (naming(args, first, begin, target) != 0)
                return;
    }
    float* output = args.output + (u64)target * args.columns;
    for (u32 base = 0; base < args.columns; base += BLOCK_THREADS) {
        const u32 column = base + threadIdx.x;
        float sum = 0.0f;
        for (u32 first = begin; first < args.rows; first += kWarpLanes)
            for (u32 named = naming(args, first, args.rows, target); named != 0; named &= named - 1)
                if (column < args.columns)
                    sum += args.gradient[(u64)(first + __ffs((int)named) - 1) * args.columns + column];
        if (column < args.columns)
            output[column] = ADDS ? output[column] + sum : sum;
    }
}
