// Drops the class token, row 0 of each picture: [images x (patches + 1), columns] to [images x patches, columns]. One warp a row; bounded by bytes.
#include "common/packed.cuh"

constexpr u32 kColumns = COLUMNS;
constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;

struct Args {
    const float* input;     // [images x (patches + 1), kColumns], 16-byte aligned
    OUTPUT* output;         // [images x patches, kColumns], aligned to four elements
    u32 patches;            // of one picture
    u32 rows;               // of the output
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");
static_assert(kColumns % 4 == 0, "four elements an access");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) select_patches(const __grid_constant__ Args args) {
    const u32 row = blockIdx.x * kWarps + threadIdx.x / kWarpLanes;
    if (row >= args.rows)
        return;
    const float* input = args.input + ((u64)row + row / args.patches + 1) * kColumns;
#pragma unroll 4
    for (u32 column = threadIdx.x % kWarpLanes * 4; column < kColumns; column += kWarpLanes * 4) {
        float values[4];
        load4(values, input + column);
        store4(args.output + (u64)row * kColumns + column, values);
    }
}
