// Row t of the residual stream: visual[visual_row[t]] where that is not negative, else table[ids[t]], widened. One warp a row; bounded by bytes.
// A table of int8 has a scale a row (TABLE_SCALES), which multiplies its integers.
// The table may lie in page-locked host memory. An id or a visual row that is not there gives a row that is not a number, which the sampler reports.
#include "common/packed.cuh"

#ifndef TABLE_SCALES
#define TABLE_SCALES 0
#endif

constexpr u32 kColumns = COLUMNS;
constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;

struct Args {
    const i32* ids;             // [tokens]; not read for visual tokens
    const STORAGE* table;       // [vocabulary, kColumns], aligned to four elements
    const float* table_scale;   // [vocabulary], TABLE_SCALES only
    const float* visual;        // [visual_rows, kColumns], 16-byte aligned; null where there are none
    const i32* visual_row;      // [tokens], negative for text; null where all is text
    float* output;              // [tokens, kColumns], 16-byte aligned
    u32 tokens;
    u32 vocabulary;
    u32 visual_rows;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");
static_assert(kColumns % 4 == 0, "four elements an access");

#if TABLE_SCALES
__device__ __forceinline__ void scale_row(float* output, const i8* source, float scale, u32 lane) {
#pragma unroll 4
    for (u32 column = lane * 4; column < kColumns; column += kWarpLanes * 4) {
        // Each byte + 128 becomes a number of 2^23 and more: no conversion, which is slow.
        const u32 word = ld_global_nc_u32(source + column) ^ 0x80808080u;
        float values[4];
#pragma unroll
        for (u32 i = 0; i < 4; i++)
            values[i] = (__uint_as_float(0x4B000000u | (word >> 8 * i & 0xFF)) - 8388736.0f) * scale;
        store4(output + column, values);
    }
}
#endif

template <typename T>
__device__ __forceinline__ void copy_row(float* output, const T* source, u32 lane) {
#pragma unroll 4
    for (u32 column = lane * 4; column < kColumns; column += kWarpLanes * 4) {
        float values[4];
        load4(values, source + column);
        store4(output + column, values);
    }
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) embed_tokens(const __grid_constant__ Args args) {
    const u32 token = blockIdx.x * kWarps + threadIdx.x / kWarpLanes;
    if (token >= args.tokens)
        return;
    const u32 lane = threadIdx.x % kWarpLanes;
    float* output = args.output + (u64)token * kColumns;
    const i32 visual_row = args.visual_row == nullptr ? -1 : args.visual_row[token];
    if (visual_row >= 0 && (u32)visual_row < args.visual_rows) {
        copy_row(output, args.visual + (u64)visual_row * kColumns, lane);
        return;
    }
    const u32 id = visual_row < 0 ? (u32)args.ids[token] : args.vocabulary;
    if (id < args.vocabulary) {
#if TABLE_SCALES
        scale_row(output, args.table + (u64)id * kColumns, args.table_scale[id], lane);
#else
        copy_row(output, args.table + (u64)id * kColumns, lane);
#endif
        return;
    }
    for (u32 column = lane; column < kColumns; column += kWarpLanes)
        output[column] = __uint_as_float(0x7FC00000u);
}
