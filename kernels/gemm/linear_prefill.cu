// C = input · weightᵀ for many rows, on tensor cores, with Partial LoRA in the same sums and the next operation in the epilogue.
//
//   input [rows, IN_FEATURES], weight [OUT_FEATURES, IN_FEATURES] row by row, in STORAGE (or int8 with a scale a row); sums in f32.
//   Partial LoRA goes on where K ends: K' = IN_FEATURES + RANK with A' = [input | T], B' = [weight | lora_up], T = scale · input · Aᵀ on visual rows and
//   zero on text rows (lora_down.cu). Blocks without visual rows leave the tail out. Gate and up have a T each, side by side, and alternate by eight rows.
//   int8 weights: integers are exact in STORAGE; sums are multiplied by the row's scale when the weights are through, and Partial LoRA, whose numbers
//   are not integers of that scale, is added afterwards.
//
// A block of threads has a tile of BLOCK_ROWS x BLOCK_COLUMNS outputs, a warp WARP_ROWS x WARP_COLUMNS of it in registers. Slices of BLOCK_K columns
// come through STAGES buffers in shared memory (prefill_pipeline.cuh). Rows beyond the matrices are zero, and not stored. Blocks of neighbouring
// blockIdx.x share the weights' columns, so that a resident set is near-square and the slices stay in L2.
// HALF_SUMS: products of 32 columns of K are added in f16, for which tensor cores of consumer cards take half the time, and these sums in f32: 8 instructions
// for 2 mma. Partial LoRA of gate and up, a sixteenth of the product, stays in f32.
// Bounded by arithmetic: 2 · rows · OUT_FEATURES · K' operations; shared memory is read 4 KB for 32 mma (64x64 a warp) or 3 KB for 16 (64x32).
//
// EPILOGUE  plain: activation(sum + bias) + residual;  gated: silu(gate) · up, half as many columns;  rope: queries rotated, keys and values appended.
#include "common/packed.cuh"
#include "common/sequence_span.cuh"
#include "common/types.cuh"
#include "gemm/linear_epilogue.cuh"
#include "gemm/prefill_loop.cuh"
#include "gemm/rope_kv.cuh"

struct Arguments {
    const STORAGE* input;           // [rows, IN_FEATURES]
    const Weight* weight;           // [OUT_FEATURES, IN_FEATURES]
    const float* weight_scale;      // [OUT_FEATURES], int8 only
    const STORAGE* bias;            // [OUT_FEATURES], HAS_BIAS only
    const float* residual;          // [rows, OUT_FEATURES], HAS_RESIDUAL only
    OUTPUT* output;                 // [rows, OUT_FEATURES]; gated: [rows, OUT_FEATURES / 2]; rope: queries [rows, KV_HEADS x GROUP_SIZE, HEAD_SIZE]
    const STORAGE* lora_down;       // T [rows, LORA_INPUTS x RANK]
    const STORAGE* lora_up;         // [OUT_FEATURES, RANK]
    const i32* visual_row;          // [rows], negative for text; Partial LoRA only
    const float2* rope_table;       // [positions, HEAD_SIZE / 2], cosine and sine; this and what follows: rope only
    u8* pages;                      // of this layer
    const SequenceSpan* sequences;  // [sequence_count]
    const i32* page_table;
    i64 page_bytes;
    u32 rows;
    u32 sequence_count;
};

static_assert(sizeof(Arguments) == ARGS_BYTES, "as the host fills it");
static_assert(kPairedRows == (EPILOGUE != kPlainEpilogue), "pairs meet in a lane");
static_assert(EPILOGUE != kGatedEpilogue || OUT_FEATURES % 16 == 0, "eight gates, eight ups");

constexpr bool kWholeColumns = OUT_FEATURES % BLOCK_COLUMNS == 0;

// The column of the weights that element 2t + i of an n8 tile of the warp is.
__device__ __forceinline__ u32 column_of(u32 across, u32 i) {
    return blockIdx.y * BLOCK_COLUMNS + warp_column() + weight_row_of(across * 8) + weight_row_of(lane_quad() * 2 + i);
}

__device__ __forceinline__ u32 count_tiles(const Arguments& args) {
    if constexpr (!kHasLora)
        return kMainTiles;
    bool is_visual = false;
    for (u32 i = threadIdx.x; i < BLOCK_ROWS; i += BLOCK_THREADS) {
        const u32 row = blockIdx.x * BLOCK_ROWS + i;
        is_visual |= row < args.rows && args.visual_row[row] >= 0;
    }
    return __syncthreads_or(is_visual) ? kMainTiles + kTailTiles : kMainTiles;
}

__device__ __forceinline__ void scale_sums(Sums& sums, const float* weight_scale) {
#pragma unroll
    for (u32 across = 0; across < kTilesAcross; across++)
#pragma unroll
        for (u32 i = 0; i < 2; i++) {
            const u32 column = column_of(across, i);
            const float scale = kWholeColumns || column < OUT_FEATURES ? weight_scale[column] : 0.0f;
#pragma unroll
            for (u32 down = 0; down < kTilesDown; down++) {
                sums[down][across][i] *= scale;
                sums[down][across][2 + i] *= scale;
            }
        }
}

__device__ __forceinline__ void add_bias(Sums& sums, const STORAGE* bias) {
#pragma unroll
    for (u32 across = 0; across < kTilesAcross; across++)
#pragma unroll
        for (u32 i = 0; i < 2; i++) {
            const u32 column = column_of(across, i);
            const float addend = kWholeColumns || column < OUT_FEATURES ? to_float(bias[column]) : 0.0f;
#pragma unroll
            for (u32 down = 0; down < kTilesDown; down++) {
                sums[down][across][i] += addend;
                sums[down][across][2 + i] += addend;
            }
        }
}

// Row of the step of the lane's upper (0) or lower (1) half of an mma tile.
__device__ __forceinline__ u32 row_of(u32 down, u32 half) {
    return blockIdx.x * BLOCK_ROWS + warp_row() + down * 16 + half * 8 + lane_row();
}

// Four neighbouring outputs of a row, or as many of them as there are.
__device__ __forceinline__ void store_plain(const Arguments& args, u32 row, u32 column, const float (&sums)[4]) {
    float values[4];
#pragma unroll
    for (u32 i = 0; i < 4; i++)
        values[i] = activate<ACTIVATION>(sums[i]);
    const i64 start = (i64)row * OUT_FEATURES + column;
    if constexpr (OUT_FEATURES % 4 == 0) {
        if (!kWholeColumns && column >= OUT_FEATURES)
            return;
        if constexpr (HAS_RESIDUAL) {
            float residual[4];
            load4(residual, args.residual + start);
#pragma unroll
            for (u32 i = 0; i < 4; i++)
                values[i] += residual[i];
        }
        store4(args.output + start, values);
    } else {
#pragma unroll
        for (u32 i = 0; i < 4; i++) {
            if (column + i >= OUT_FEATURES)
                continue;
            if constexpr (HAS_RESIDUAL)
                values[i] += args.residual[start + i];
            args.output[start + i] = from_float<OUTPUT>(values[i]);
        }
    }
}

__device__ __forceinline__ void store_plain(const Arguments& args, const Sums& sums) {
#pragma unroll
    for (u32 down = 0; down < kTilesDown; down++)
#pragma unroll
        for (u32 half = 0; half < 2; half++) {
            const u32 row = row_of(down, half);
            if (row >= args.rows)
                continue;
#pragma unroll
            for (u32 across = 0; across < kTilesAcross; across += 2) {
                const float values[4] = {sums[down][across][2 * half], sums[down][across][2 * half + 1],
                                         sums[down][across + 1][2 * half], sums[down][across + 1][2 * half + 1]};
                store_plain(args, row, column_of(across, 0), values);
            }
        }
}

// Four neighbouring channels of the first of the pairs, and their partners: in n8 tiles across, across + 2 and across + 1, across + 3.
struct Pairs {
    float first[4], second[4];

    __device__ __forceinline__ Pairs(const float (&tiles)[kTilesAcross][4], u32 across, u32 half) {
#pragma unroll
        for (u32 i = 0; i < 4; i++) {
            first[i] = tiles[across + i / 2 * 2][half * 2 + i % 2];
            second[i] = tiles[across + i / 2 * 2 + 1][half * 2 + i % 2];
        }
    }
};

__device__ __forceinline__ void store_gated(const Arguments& args, const Sums& sums) {
    constexpr u32 channels = OUT_FEATURES / 2;
#pragma unroll
    for (u32 down = 0; down < kTilesDown; down++)
#pragma unroll
        for (u32 half = 0; half < 2; half++) {
            const u32 row = row_of(down, half);
            if (row >= args.rows)
                continue;
#pragma unroll
            for (u32 across = 0; across < kTilesAcross; across += 4) {
                const u32 channel = (blockIdx.y * BLOCK_COLUMNS + warp_column() + across * 8) / 2 + lane_quad() * 4;
                if (!kWholeColumns && channel >= channels)
                    continue;
                const Pairs pairs(sums[down], across, half);
                float values[4];
#pragma unroll
                for (u32 i = 0; i < 4; i++)
                    values[i] = silu(pairs.first[i]) * pairs.second[i];
                store4(args.output + (i64)row * channels + channel, values);
            }
        }
}

#if EPILOGUE == 2
static_assert(HEAD_SIZE % 32 == 0 && OUT_FEATURES == KV_HEADS * kHeadsOfGroup * HEAD_SIZE, "a group of columns lies in one head");

__device__ __forceinline__ void store_rope(const Arguments& args, const Sums& sums, const RowPlace* places) {
#pragma unroll
    for (u32 down = 0; down < kTilesDown; down++)
#pragma unroll
        for (u32 half = 0; half < 2; half++) {
            const u32 row = row_of(down, half);
            if (row >= args.rows)
                continue;
            const RowPlace place = places[row - blockIdx.x * BLOCK_ROWS];
#pragma unroll
            for (u32 across = 0; across < kTilesAcross; across += 4) {
                const u32 group = blockIdx.y * BLOCK_COLUMNS + warp_column() + across * 8;
                if (!kWholeColumns && group >= OUT_FEATURES)
                    continue;
                const u32 head = group / HEAD_SIZE, column = group % HEAD_SIZE;
                Pairs pairs(sums[down], across, half);
                if (is_rotated(head)) {
                    const float2* angles = args.rope_table + (i64)max(place.position, 0) * (HEAD_SIZE / 2) + column / 2 + lane_quad() * 4;
#pragma unroll
                    for (u32 i = 0; i < 4; i++)
                        rotate(angles[i], pairs.first[i], pairs.second[i]);
                }
                STORAGE* destination = head_destination(head, row, place, args.output, args.pages, args.page_bytes);
                if (destination == nullptr)
                    continue;
                destination += column + lane_quad() / 2 * 16 + lane_quad() % 2 * 4;
                store4(destination, pairs.first);
                store4(destination + 8, pairs.second);
            }
        }
}
#endif

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, BLOCKS_PER_SM) linear_prefill(const __grid_constant__ Arguments args) {
#if EPILOGUE == 2
    __shared__ RowPlace places[BLOCK_ROWS];
    for (u32 i = threadIdx.x; i < BLOCK_ROWS; i += BLOCK_THREADS)
        places[i] = find_place((i32)(blockIdx.x * BLOCK_ROWS + i), args.sequences, args.sequence_count, args.page_table);
#endif
    Sums sums;
    const PipelineSource source = {args.input, args.weight, args.lora_down, args.lora_up, args.rows, blockIdx.x * BLOCK_ROWS, blockIdx.y * BLOCK_COLUMNS, 0};
    multiply_tile(sums, source, [&] { return count_tiles(args); }, [&](Sums& values) {
        if constexpr (WEIGHT_INT8)
            scale_sums(values, args.weight_scale);
    });
    if constexpr (HAS_BIAS)
        add_bias(sums, args.bias);
#if EPILOGUE == 2
    store_rope(args, sums, places);
#else
    if constexpr (EPILOGUE == kGatedEpilogue)
        store_gated(args, sums);
    else
        store_plain(args, sums);
#endif
}
