// C = input · weightᵀ for many rows on sm_90, with Partial LoRA in the same sums and the next operation in the epilogue: what linear_prefill.cu does, by
// tensor maps and wgmma.
//
//   input [rows, IN_FEATURES], weight [OUT_FEATURES, IN_FEATURES] row by row, in STORAGE; sums in f32.
//   Partial LoRA is K' = IN_FEATURES + RANK with A' = [input | T], B' = [weight | lora_up]. Row tiles without visual rows leave it out. Gate and up have a T
//   each; K' goes on with both, and each meets zeros in the other's columns.
//
// Blocks stay and take one tile of 128 x BLOCK_COLUMNS after the other, so that the slices of the next are on their way while one is stored. A thread of the
// first warpgroup asks for slices of 64 columns of K, STAGES ahead (wgmma_pipeline.cuh); the two others multiply, 64 rows each (wgmma_tile.cuh), and store
// from registers (wgmma_epilogue.cuh). One multiplies while the other waits for its slice or stores.
// Rows and columns of K beyond the matrices are zero by the maps, and not stored.
// Bounded by arithmetic: 2 · rows · OUT_FEATURES · K' operations at 4096 a cycle; shared memory moves 64 + 128 x 64 / BLOCK_COLUMNS bytes of operands and
// 32 + 4096 / BLOCK_COLUMNS of new slices in each of those cycles, of 128: below 176 columns it is the bound.
//
// EPILOGUE  plain: activation(sum + bias) + residual;  gated: silu(gate) · up, half as many columns;  rope: queries rotated, keys and values appended.
#include "common/sequence_span.cuh"
#include "gemm/wgmma_epilogue.cuh"
#include "gemm/wgmma_lora.cuh"
#include "gemm/wgmma_pipeline.cuh"
#include "gemm/wgmma_tile.cuh"
#include "ptx/setmaxnreg.cuh"
#include "ptx/shared_memory.cuh"

struct Arguments {
    TensorMap input;                // [rows, IN_FEATURES]: boxes of 64 columns, 128 rows
    TensorMap weight;               // [OUT_FEATURES, IN_FEATURES]: 64 columns, BLOCK_COLUMNS rows; gated [kTurns, 16, IN_FEATURES]: 64, 8, kBlockTurns
    TensorMap lora_down;            // T [rows, LORA_INPUTS, RANK]: 64, 1, 128
    TensorMap lora_up;              // [OUT_FEATURES, RANK], boxes as the weights'
    const STORAGE* bias;            // [OUT_FEATURES], HAS_BIAS only
    const float* residual;          // [rows, OUT_FEATURES], HAS_RESIDUAL only
    OUTPUT* output;                 // [rows, OUT_FEATURES]; gated: [rows, OUT_FEATURES / 2]; rope: queries [rows, KV_HEADS x GROUP_SIZE, HEAD_SIZE]
    const i32* visual_row;          // [rows], negative for text; Partial LoRA only
    const float2* rope_table;       // [positions, HEAD_SIZE / 2], cosine and sine; this and what follows: rope only
    u8* pages;                      // of this layer
    const SequenceSpan* sequences;  // [sequence_count]
    const i32* page_table;
    i64 page_bytes;
    u32 rows;                       // at most kMostRowTiles x 128
    u32 sequence_count;
};

static_assert(sizeof(Arguments) == ARGS_BYTES, "as the host fills it");

__device__ __forceinline__ void store(const Arguments& args, u32 row_tile, u32 column_tile, WarpgroupSums& sums) {
    if constexpr (HAS_BIAS)
        add_bias(sums, args.bias, column_tile);
#if EPILOGUE == 2
    store_rope(args, row_tile, column_tile, sums);
#else
    store_rows(args, row_tile, column_tile, sums);
#endif
}

struct State {
    PipelineState pipeline;
    LoraState lora;
};

// By one thread.
__device__ __forceinline__ void produce(const Arguments& args, State& state) {
    Ring ring(state.pipeline);
    VisualTiles visual_tiles(state.lora);
    for_tiles(args.rows, [&](u32 row_tile, u32 column_tile) {
        request_slices(ring, &args.input, &args.weight, row_tile, column_tile, 0, kMainBlocks);
        if (kHasLora && visual_tiles.has(row_tile))
            request_lora_slices(ring, &args.lora_down, &args.lora_up, row_tile, column_tile);
    });
}

__device__ __forceinline__ void consume(const Arguments& args, State& state) {
    Ring ring(state.pipeline);
    VisualTiles visual_tiles(state.lora);
    for_tiles(args.rows, [&](u32 row_tile, u32 column_tile) {
        WarpgroupSums sums;
#pragma unroll
        for (u32 i = 0; i < kSums; i++)
            sums[i] = 0.0f;
        multiply_slices(sums, ring, kMainBlocks);
        if (kHasLora && visual_tiles.has(row_tile))
            multiply_slices(sums, ring, kLoraSlices);
        store(args, row_tile, column_tile, sums);
    });
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, 1) linear_wgmma(const __grid_constant__ Arguments args) {
    __shared__ State state;
    if (threadIdx.x == 0) {
        initialize(state.pipeline);
        initialize(state.lora);
        fence_mbarrier_init();
    }
    __syncthreads();
    if (threadIdx.x < kGroupThreads) {
        setmaxnreg_dec<40>();
        if (threadIdx.x == 0)
            produce(args, state);
        else if (kHasLora && threadIdx.x >= kWarpLanes)
            find_visual_tiles(state.lora, args.visual_row, args.rows);
    } else {
        setmaxnreg_inc<232>();
        consume(args, state);
    }
}
