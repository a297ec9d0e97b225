// What tile_product.cuh does, by plain multiplication and addition, for STORAGE f32: a witness, not fast.
#pragma once
#include "common/types.cuh"
#include "gemm/int8_weights.cuh"
#include "gemm/prefill_pipeline.cuh"
#include "gemm/prefill_tile.cuh"

template <u32 row_bytes>
__device__ __forceinline__ float plain_element(const u8* tile, u32 row, u32 column) {
    return *(const float*)(tile + swizzled<row_bytes>(row, column / kChunkElements) + column % kChunkElements * sizeof(float));
}

__device__ __forceinline__ float plain_weight(const u8* tile, u32 row, u32 column) {
    if constexpr (WEIGHT_INT8) {
        const u32 place = int8_place_of(column % 16);
        return (float)*(const i8*)(tile + swizzled<kWeightRowBytes>(row, column / 16) + place);
    } else {
        return plain_element<kWeightRowBytes>(tile, row, column);
    }
}

// sums += input columns [first_input, + columns) · weight columns [0, columns), for n8 tiles first, first + every, ...
template <bool is_tail>
__device__ __forceinline__ void multiply_plain(Sums& sums, u32 stage, u32 first_input, u32 columns, u32 first, u32 every) {
    const u8* input = dynamic_shared() + (stage - cvta_to_shared(dynamic_shared()));
    const u8* weight = input + kInputStageBytes;
    for (u32 k = 0; k < columns; k++) {
        float values[kTilesDown][2];
#pragma unroll
        for (u32 down = 0; down < kTilesDown; down++)
#pragma unroll
            for (u32 i = 0; i < 2; i++)
                values[down][i] = plain_element<kInputRowBytes>(input, warp_row() + down * 16 + i * 8 + lane_row(), first_input + k);
#pragma unroll
        for (u32 across = 0; across < kTilesAcross; across++) {
            if (across % every != first)
                continue;
#pragma unroll
            for (u32 i = 0; i < 2; i++) {
                const u32 row = warp_column() + across * 8 + lane_quad() * 2 + i;
                const float factor = is_tail ? plain_element<kTailRowBytes>(weight, row, k) : plain_weight(weight, row, k);
#pragma unroll
                for (u32 down = 0; down < kTilesDown; down++) {
                    sums[down][across][i] = fmaf(values[down][0], factor, sums[down][across][i]);
                    sums[down][across][2 + i] = fmaf(values[down][1], factor, sums[down][across][2 + i]);
                }
            }
        }
    }
}

struct FragmentOffsets {};

__device__ __forceinline__ void multiply_slices(Sums& sums, Pipeline& pipeline, const FragmentOffsets&, u32 first_tile, u32 main_tiles, u32 tiles) {
    for (u32 tile = first_tile; tile < main_tiles; tile++) {
        const u32 stage = pipeline.receive(tile);
        pipeline.request(tile + STAGES - 1, tiles);
        if (tile < kMainTiles)
            multiply_plain<false>(sums, stage, 0, BLOCK_K, 0, 1);
        else
            multiply_plain<true>(sums, stage, 0, kTailColumns, 0, 1);
    }
}

__device__ __forceinline__ void multiply_tail(Sums& sums, u32 stage, const FragmentOffsets&) {
#pragma unroll
    for (u32 which = 0; which < kLoraInputs; which++)
        multiply_plain<true>(sums, stage, which * kTailColumns, kTailColumns, which, kLoraInputs);
}
