// The loop over K: sums of a block's tile, left in registers.
#pragma once
#include "gemm/prefill_pipeline.cuh"
#if PLAIN_ARITHMETIC
#include "gemm/plain_product.cuh"
#else
#include "gemm/tile_product.cuh"
#endif

// The first STAGES - 1 slices. count_tiles() may wait for memory: it is asked when the slices that there are in any case are on their way.
template <typename CountTiles>
__device__ __forceinline__ u32 start_pipeline(Pipeline& pipeline, CountTiles count_tiles) {
    u32 tiles = kMainTiles;
#pragma unroll
    for (u32 tile = 0; tile < STAGES - 1; tile++) {
        if (tile == kMainTiles)
            tiles = count_tiles();
        pipeline.request(tile, tiles);
    }
    return kMainTiles >= STAGES - 1 ? count_tiles() : tiles;
}

__device__ __forceinline__ void clear(Sums& sums) {
#pragma unroll
    for (u32 down = 0; down < kTilesDown; down++)
#pragma unroll
        for (u32 across = 0; across < kTilesAcross; across++)
#pragma unroll
            for (u32 i = 0; i < 4; i++)
                sums[down][across][i] = 0.0f;
}

// A part of K, without a tail: slices from source.first_tile to end_tile, of which there is at least one.
__device__ __forceinline__ void multiply_part(Sums& sums, const PipelineSource& source, u32 end_tile) {
    clear(sums);
    Pipeline pipeline(source);
    const FragmentOffsets offsets;
#pragma unroll
    for (u32 i = 0; i < STAGES - 1; i++)
        pipeline.request(source.first_tile + i, end_tile);
    multiply_slices(sums, pipeline, offsets, source.first_tile, end_tile, end_tile);
}

// scale(sums) comes between weights and separate tail: int8 weights have scales, Partial LoRA has none.
template <typename CountTiles, typename Scale>
__device__ __forceinline__ void multiply_tile(Sums& sums, const PipelineSource& source, CountTiles count_tiles, Scale scale) {
    clear(sums);
    Pipeline pipeline(source);
    const FragmentOffsets offsets;
    const u32 tiles = start_pipeline(pipeline, count_tiles);
    multiply_slices(sums, pipeline, offsets, 0, kSeparateTail ? kMainTiles : tiles, tiles);
    scale(sums);
    if constexpr (kSeparateTail) {
        for (u32 tile = kMainTiles; tile < tiles; tile++) {
            const u32 stage = pipeline.receive(tile);
            pipeline.request(tile + STAGES - 1, tiles);
            multiply_tail(sums, stage, offsets);
        }
    }
}
