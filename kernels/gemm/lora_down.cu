// T = mask · scale · input · Aᵀ: the lower half of Partial LoRA, rounded once, zero on text rows.
//
//   input [rows, IN_FEATURES], A [OUT_FEATURES, IN_FEATURES] in STORAGE. OUT_FEATURES is the rank, or twice the rank where gate and up, whose A stand one
//   below the other, share an input. The mask chooses and does not multiply: what a text row holds cannot reach T.
//
// The loop is that of linear_prefill.cu. A block whose rows are all text only writes zeros.
// There are few columns, so that K is cut too: a block has a part of a tile's slices (blockIdx.z), and the last of them to arrive adds the parts in the
// order of K (split_sums.cuh).
// Bounded by arithmetic where the rank is 256; the input is read OUT_FEATURES / BLOCK_COLUMNS times, from L2.
#include "common/packed.cuh"
#include "common/types.cuh"
#include "gemm/prefill_loop.cuh"
#include "gemm/split_sums.cuh"

struct Arguments {
    const STORAGE* input;           // [rows, IN_FEATURES]
    const STORAGE* a;               // [OUT_FEATURES, IN_FEATURES]
    const i32* visual_row;          // [rows], negative for text
    STORAGE* output;                // [rows, OUT_FEATURES]
    float* parts;                   // [tiles, gridDim.z, BLOCK_ROWS x BLOCK_COLUMNS], in the threads' order; for more than one part only
    u32* arrivals;                  // [tiles], zero before and after
    float scale;                    // alpha / rank
    u32 rows;
};

static_assert(sizeof(Arguments) == ARGS_BYTES, "as the host fills it");
static_assert(!kPairedRows && !kHasLora && !WEIGHT_INT8, "a plain product");
static_assert(OUT_FEATURES % 4 == 0, "a lane stores four neighbours");

__device__ __forceinline__ void store(const Arguments& args, const Sums& sums) {
    const u32 first_row = blockIdx.x * BLOCK_ROWS + warp_row() + lane_row();
    const u32 first_column = blockIdx.y * BLOCK_COLUMNS + warp_column() + lane_quad() * 4;
#pragma unroll
    for (u32 down = 0; down < kTilesDown; down++)
#pragma unroll
        for (u32 half = 0; half < 2; half++) {
            const u32 row = first_row + down * 16 + half * 8;
            if (row >= args.rows)
                continue;
            const bool is_visual = args.visual_row[row] >= 0;
#pragma unroll
            for (u32 across = 0; across < kTilesAcross; across += 2) {
                const u32 column = first_column + across * 8;
                if (OUT_FEATURES % BLOCK_COLUMNS != 0 && column >= OUT_FEATURES)
                    continue;
                float values[4];
#pragma unroll
                for (u32 i = 0; i < 4; i++)
                    values[i] = is_visual ? sums[down][across + i / 2][half * 2 + i % 2] * args.scale : 0.0f;
                store4(args.output + (i64)row * OUT_FEATURES + column, values);
            }
        }
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, BLOCKS_PER_SM) lora_down(const __grid_constant__ Arguments args) {
    bool is_visual = false;
    for (u32 i = threadIdx.x; i < BLOCK_ROWS; i += BLOCK_THREADS) {
        const u32 row = blockIdx.x * BLOCK_ROWS + i;
        is_visual |= row < args.rows && args.visual_row[row] >= 0;
    }
    Sums sums = {};
    if (!__syncthreads_or(is_visual)) {
        if (blockIdx.z == 0)
            store(args, sums);
        return;
    }
    const u32 first_tile = blockIdx.z * kMainTiles / gridDim.z, end_tile = (blockIdx.z + 1) * kMainTiles / gridDim.z;
    const PipelineSource source = {args.input, args.a, nullptr, nullptr, args.rows, blockIdx.x * BLOCK_ROWS, blockIdx.y * BLOCK_COLUMNS, first_tile};
    multiply_part(sums, source, end_tile);
    if (gridDim.z > 1) {
        constexpr u32 kCount = sizeof(Sums) / sizeof(float);
        __shared__ u32 arrived_before;
        float (&flat)[kCount] = reinterpret_cast<float (&)[kCount]>(sums);
        const u32 tile = blockIdx.y * gridDim.x + blockIdx.x;
        const SplitSums<BLOCK_THREADS, kCount> split(args.parts, tile, threadIdx.x);
        split.leave(flat);
        if (!arrive_last(args.arrivals + tile, gridDim.z, arrived_before))
            return;
        split.gather(flat);
    }
    store(args, sums);
}
