// Rows of 8-bit integers with one scale a row as floating numbers: w = q · scale, rounded once. One block a row; bounded by bytes, 1 read for 2 written.
#include "common/packed.cuh"

constexpr u32 kPack = PACK;      // elements of one access: 4 where rows are a multiple of it, else 1
constexpr u32 kThreads = BLOCK_THREADS;

struct Args {
    const i8* quantized;    // [rows, columns]
    const float* scales;    // [rows]
    STORAGE* values;        // [rows, columns]
    u32 columns;            // a multiple of the pack
};

static_assert(kPack == 1 || kPack == 4, "one load and one store");
static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");

__device__ __forceinline__ float byte_of(u32 word, u32 index) {
    return (float)((i32)(word << (24 - 8 * index)) >> 24);
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) dequantize_int8(const __grid_constant__ Args args) {
    const u64 row = blockIdx.x;
    const u32 columns = args.columns;
    const i8* quantized = args.quantized + row * columns;
    STORAGE* values = args.values + row * columns;
    const float scale = args.scales[row];
    if constexpr (kPack == 4) {
#pragma unroll 4
        for (u32 column = threadIdx.x * 4; column < columns; column += kThreads * 4) {
            const u32 word = *(const u32*)(quantized + column);
            store4(values + column, {byte_of(word, 0) * scale, byte_of(word, 1) * scale, byte_of(word, 2) * scale, byte_of(word, 3) * scale});
        }
    } else {
        for (u32 column = threadIdx.x; column < columns; column += kThreads)
            values[column] = from_float<STORAGE>((float)quantized[column] * scale);
    }
}
