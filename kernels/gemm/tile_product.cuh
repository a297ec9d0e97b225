// The product of two slices in shared memory, a warp tile of it.
#pragma once
#include "common/types.cuh"
#include "gemm/int8_weights.cuh"
#include "gemm/multiply_step.cuh"
#include "gemm/prefill_pipeline.cuh"
#include "gemm/prefill_tile.cuh"
#include "ptx/ldmatrix.cuh"

// Operands of one step of 16 columns in registers.
struct Fragments {
    u32 input[kTilesDown][4];
    u32 weight[kTilesAcross][WEIGHT_INT8 ? 1 : 2];
};

// Where the lane reads in a stage. An address of step s is that of step 0 with bits flipped.
struct FragmentOffsets {
    u32 input, weight, tail;

    __device__ __forceinline__ FragmentOffsets() {
        const u32 lane = threadIdx.x % kWarpLanes;
        const u32 pair_row = warp_column() + lane % 8 + lane / 16 * 8;
        input = swizzled<kInputRowBytes>(warp_row() + lane % 16, lane / 16);
        tail = kInputStageBytes + swizzled<kTailRowBytes>(pair_row, lane / 8 % 2);
        if constexpr (WEIGHT_INT8)
            weight = kInputStageBytes + swizzled<kWeightRowBytes>(warp_column() + lane, 0);
        else
            weight = kInputStageBytes + swizzled<kWeightRowBytes>(pair_row, lane / 8 % 2);
    }
};

__device__ __forceinline__ void load_input(Fragments& fragments, u32 stage, const FragmentOffsets& offsets, u32 step) {
    const u32 address = stage + (offsets.input ^ step * 2 * kChunkBytes);
#pragma unroll
    for (u32 down = 0; down < kTilesDown; down++)
        ldmatrix_x4(fragments.input[down], address + down * 16 * kInputRowBytes);
}

// int8: one matrix of 8 rows x 16 bytes is a whole n8k16 tile, and stays packed in registers.
__device__ __forceinline__ void load_weight(Fragments& fragments, u32 stage, const FragmentOffsets& offsets, u32 step) {
    if constexpr (WEIGHT_INT8) {
        const u32 address = stage + (offsets.weight ^ step * kChunkBytes);
#pragma unroll
        for (u32 across = 0; across < kTilesAcross; across += 4) {
            u32 words[4];
            ldmatrix_x4(words, address + across * 8 * kWeightRowBytes);
#pragma unroll
            for (u32 i = 0; i < 4; i++)
                fragments.weight[across + i][0] = words[i];
        }
    } else {
        const u32 address = stage + (offsets.weight ^ step * 2 * kChunkBytes);
#pragma unroll
        for (u32 across = 0; across < kTilesAcross; across += 2) {
            u32 words[4];
            ldmatrix_x4(words, address + across * 8 * kWeightRowBytes);
#pragma unroll
            for (u32 i = 0; i < 4; i++)
                fragments.weight[across + i / 2][i % 2 * !WEIGHT_INT8] = words[i];
        }
    }
}

__device__ __forceinline__ void load_fragments(Fragments& fragments, u32 stage, const FragmentOffsets& offsets, u32 step) {
    load_input(fragments, stage, offsets, step);
    load_weight(fragments, stage, offsets, step);
}

__device__ __forceinline__ void multiply_fragments(Sums& sums, const Fragments& fragments) {
#pragma unroll
    for (u32 across = 0; across < kTilesAcross; across++) {
        u32 lower = fragments.weight[across][0], upper = fragments.weight[across][!WEIGHT_INT8];
        if constexpr (WEIGHT_INT8)
            widen_int8<STORAGE>(lower, lower, upper);
#pragma unroll
        for (u32 i = 0; i < kTilesDown; i++) {
            const u32 down = across % 2 == 0 ? i : kTilesDown - 1 - i;
            multiply_step<STORAGE>(sums[down][across], fragments.input[down], lower, upper);
        }
    }
}

// A slice of the separate tail. With two inputs, even n8 tiles (gate) meet the first and odd ones (up) the second.
__device__ __forceinline__ void multiply_tail(Sums& sums, u32 stage, const FragmentOffsets& offsets) {
    Fragments fragments;
#pragma unroll
    for (u32 step = 0; step < kTailSteps; step++) {
        u32 up[kTilesAcross / 2][4];
#pragma unroll
        for (u32 pair = 0; pair < kTilesAcross / 2; pair++)
            ldmatrix_x4(up[pair], stage + (offsets.tail ^ step * 2 * kChunkBytes) + pair * 16 * kTailRowBytes);
#pragma unroll
        for (u32 which = 0; which < kLoraInputs; which++) {
            load_input(fragments, stage, offsets, step + which * kTailSteps);
#pragma unroll
            for (u32 across = which; across < kTilesAcross; across += kLoraInputs)
#pragma unroll
                for (u32 down = 0; down < kTilesDown; down++)
                    multiply_step<STORAGE>(sums[down][across], fragments.input[down], up[across / 2][across % 2 * 2], up[across / 2][across % 2 * 2 + 1]);
        }
    }
}

#if HALF_SUMS
// Two steps at a time, and rows of the warp tile one after the other: the weights' fragments of both steps stay, the input's do not.
__device__ __forceinline__ void multiply_slices(Sums& sums, Pipeline& pipeline, const FragmentOffsets& offsets, u32 first_tile, u32 main_tiles, u32 tiles) {
    static_assert(kSteps % 2 == 0 && !WEIGHT_INT8 && !DOUBLE_BUFFER && sizeof(STORAGE) == 2, "sums of 32 products of two 16-bit numbers");
    for (u32 tile = first_tile; tile < main_tiles; tile++) {
        const u32 stage = pipeline.receive(tile);
        pipeline.request(tile + STAGES - 1, tiles);
#pragma unroll
        for (u32 step = 0; step < kSteps; step += 2) {
            u32 weight[kTilesAcross][2][2];
#pragma unroll
            for (u32 i = 0; i < 2; i++)
#pragma unroll
                for (u32 across = 0; across < kTilesAcross; across += 2) {
                    u32 words[4];
                    ldmatrix_x4(words, stage + (offsets.weight ^ (step + i) * 2 * kChunkBytes) + across * 8 * kWeightRowBytes);
                    weight[across][i][0] = words[0];
                    weight[across][i][1] = words[1];
                    weight[across + 1][i][0] = words[2];
                    weight[across + 1][i][1] = words[3];
                }
#pragma unroll
            for (u32 down = 0; down < kTilesDown; down++) {
                u32 input[2][4];
#pragma unroll
                for (u32 i = 0; i < 2; i++)
                    ldmatrix_x4(input[i], stage + (offsets.input ^ (step + i) * 2 * kChunkBytes) + down * 16 * kInputRowBytes);
#pragma unroll
                for (u32 across = 0; across < kTilesAcross; across++)
                    multiply_two_steps_in_half(sums[down][across], input, weight[across]);
            }
        }
    }
}
#elif DOUBLE_BUFFER
// Fragments of a step are loaded while those of the one before are multiplied; the last step of a slice waits for the next slice.
__device__ __forceinline__ void multiply_slices(Sums& sums, Pipeline& pipeline, const FragmentOffsets& offsets, u32 first_tile, u32 main_tiles, u32 tiles) {
    static_assert(kSteps % 2 == 0, "buffers alternate");
    Fragments fragments[2];
    u32 stage = pipeline.receive(first_tile);
    load_fragments(fragments[0], stage, offsets, 0);
    for (u32 tile = first_tile; tile < main_tiles; tile++) {
#pragma unroll
        for (u32 step = 0; step < kSteps; step++) {
            if (step + 1 < kSteps) {
                load_fragments(fragments[(step + 1) % 2], stage, offsets, step + 1);
            } else if (tile + 1 < main_tiles) {
                stage = pipeline.receive(tile + 1);
                load_fragments(fragments[0], stage, offsets, 0);
            }
            if (step == 0)
                pipeline.request(tile + STAGES - 1, tiles);
            multiply_fragments(sums, fragments[step % 2]);
        }
    }
}
#else
// Fragments are loaded when the slice is there: half the registers.
__device__ __forceinline__ void multiply_slices(Sums& sums, Pipeline& pipeline, const FragmentOffsets& offsets, u32 first_tile, u32 main_tiles, u32 tiles) {
    for (u32 tile = first_tile; tile < main_tiles; tile++) {
        const u32 stage = pipeline.receive(tile);
#pragma unroll
        for (u32 step = 0; step < kSteps; step++) {
            Fragments fragments;
            load_fragments(fragments, stage, offsets, step);
            if (step == 0)
                pipeline.request(tile + STAGES - 1, tiles);
            multiply_fragments(sums, fragments);
        }
    }
}
#endif
