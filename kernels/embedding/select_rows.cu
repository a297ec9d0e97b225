// Row i of the output is row rows[i] of the input. One warp a row; bounded by bytes. A row that is not there gives a row that is not a number.
#include "common/packed.cuh"

constexpr u32 kColumns = COLUMNS;
constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;

struct Args {
    const float* input;     // [input_rows, kColumns], 16-byte aligned
    const i32* rows;        // [count], in any order
    OUTPUT* output;         // [count, kColumns], aligned to four elements
    u32 input_rows;
    u32 count;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");
static_assert(kColumns % 4 == 0, "four elements an access");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) select_rows(const __grid_constant__ Args args) {
    const u32 index = blockIdx.x * kWarps + threadIdx.x / kWarpLanes;
    if (index >= args.count)
        return;
    const u32 row = (u32)args.rows[index];
    const bool is_there = row < args.input_rows;
    const float* input = args.input + (u64)(is_there ? row : 0) * kColumns;
    OUTPUT* output = args.output + (u64)index * kColumns;
#pragma unroll 4
    for (u32 column = threadIdx.x % kWarpLanes * 4; column < kColumns; column += kWarpLanes * 4) {
        float values[4];
        load4(values, input + column);
        const float missing = __uint_as_float(0x7FC00000u);
        if (!is_there)
            values[0] = values[1] = values[2] = values[3] = missing;
        store4(output + column, values);
    }
}
