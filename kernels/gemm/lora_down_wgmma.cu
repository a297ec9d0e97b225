// T = mask · scale · input · Aᵀ on sm_90: what lora_down.cu does, by tensor maps and wgmma.
//
//   input [rows, IN_FEATURES], A [OUT_FEATURES, IN_FEATURES] in STORAGE. The mask chooses and does not multiply: what a text row holds cannot reach T.
//
// There are few columns, so that K is cut too: a block has a part of a tile's slices (blockIdx.z of splits), and the last of them to arrive adds the parts
// in the order of K (split_sums.cuh). Blocks of text rows write zeros.
// Bounded by shared memory where a tile has 64 columns, and by the last block's reading of all parts.
#include "gemm/split_sums.cuh"
#include "gemm/wgmma_pipeline.cuh"
#include "gemm/wgmma_store.cuh"

struct Arguments {
    TensorMap input;                // [rows, IN_FEATURES]: boxes of 64 columns, 128 rows
    TensorMap a;                    // [OUT_FEATURES, IN_FEATURES]: 64 columns, BLOCK_COLUMNS rows
    const i32* visual_row;          // [rows], negative for text
    STORAGE* output;                // [rows, OUT_FEATURES]
    float* parts;                   // [tiles, splits, 128, BLOCK_COLUMNS], in the threads' order; more than one split only
    u32* arrivals;                  // [tiles], zero before and after
    float scale;                    // alpha / rank
    u32 rows;
};

static_assert(sizeof(Arguments) == ARGS_BYTES, "as the host fills it");
static_assert(!kGated && !kHasLora, "a plain product");

__device__ __forceinline__ void store(const Arguments& args, const WarpgroupSums& sums) {
    const u32 first_column = blockIdx.y * BLOCK_COLUMNS;
#pragma unroll
    for (u32 half = 0; half < 2; half++) {
        const u32 row = row_of(blockIdx.x, half);
        const bool has_row = row < args.rows, is_visual = has_row && args.visual_row[row] >= 0;
#pragma unroll
        for (u32 block = 0; block < BLOCK_COLUMNS / 8; block += 2) {
            const u32 column = first_column + block * 8;
            float values[2][2];
#pragma unroll
            for (u32 i = 0; i < 4; i++)
                values[i / 2][i % 2] = is_visual ? sums[(block + i / 2) * 4 + half * 2 + i % 2] * args.scale : 0.0f;
            store_blocks(args.output + (i64)row * OUT_FEATURES + column, values[0], values[1], has_row && column < OUT_FEATURES,
                         has_row && column + 8 < OUT_FEATURES);
        }
    }
}

__device__ __forceinline__ bool has_visual_rows(const Arguments& args) {
    const u32 row = blockIdx.x * kBlockRows + threadIdx.x;
    return __syncthreads_or(threadIdx.x < kBlockRows && row < args.rows && args.visual_row[row] >= 0);
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, 1) lora_down_wgmma(const __grid_constant__ Arguments args) {
    __shared__ PipelineState state;
    __shared__ u32 arrived_before;
    if (threadIdx.x == 0) {
        initialize(state);
        fence_mbarrier_init();
    }
    const bool is_visual = has_visual_rows(args), is_consumer = threadIdx.x >= kGroupThreads;
    const u32 first = blockIdx.z * kMainBlocks / gridDim.z, end = (blockIdx.z + 1) * kMainBlocks / gridDim.z;
    WarpgroupSums sums;
#pragma unroll
    for (u32 i = 0; i < kSums; i++)
        sums[i] = 0.0f;
    if (!is_visual) {
        if (is_consumer && blockIdx.z == 0)
            store(args, sums);
        return;
    }
    Ring ring(state);
    if (is_consumer)
        multiply_slices(sums, ring, end - first);
    else if (threadIdx.x == 0)
        request_slices(ring, &args.input, &args.a, blockIdx.x, blockIdx.y, first, end);
    if (gridDim.z > 1) {
        const u32 tile = blockIdx.y * gridDim.x + blockIdx.x;
        const SplitSums<kConsumers * kGroupThreads, kSums> split(args.parts, tile, threadIdx.x % kGroupThreads + (is_consumer ? consumer() : 0) * kGroupThreads);
        if (is_consumer)
            split.leave(sums);
        if (!arrive_last(args.arrivals + tile, gridDim.z, arrived_before))
            return;
        if (is_consumer)
            split.gather(sums);
    }
    if (is_consumer)
        store(args, sums);
}
