// From the sums of a warpgroup to memory. A thread has two neighbours of a row in every n8 block; four lanes have a block's eight.
#pragma once
#include "gemm/rope_kv.cuh"
#include "gemm/wgmma_store.cuh"

constexpr u32 kBlocks = BLOCK_COLUMNS / 8;              // n8
constexpr u32 kOutputBlocks = kGated ? kBlocks / 2 : kBlocks;

// Which row of the weights the sum of a block's element 2t + i is.
__device__ __forceinline__ u32 weight_row_of(u32 column_tile, u32 block, u32 i) {
    const u32 first = kGated ? block % (kBlocks / 2) * 16 + block / (kBlocks / 2) * 8 : block * 8;
    return column_tile * BLOCK_COLUMNS + first + lane_quad() * 2 + i;
}

__device__ __forceinline__ void add_bias(WarpgroupSums& sums, const STORAGE* bias, u32 column_tile) {
#pragma unroll
    for (u32 block = 0; block < kBlocks; block++) {
        const u32 row = weight_row_of(column_tile, block, 0);
        const u32 pair = OUT_FEATURES % BLOCK_COLUMNS == 0 || row < OUT_FEATURES ? ld_global_nc_u32(bias + row) : 0;
#pragma unroll
        for (u32 half = 0; half < 2; half++) {
            sums[block * 4 + half * 2] += lower_of<STORAGE>(pair);
            sums[block * 4 + half * 2 + 1] += upper_of<STORAGE>(pair);
        }
    }
}

// What is stored of a thread's two elements of a block.
__device__ __forceinline__ void finish(float (&values)[2], const WarpgroupSums& sums, u32 block, u32 half) {
#pragma unroll
    for (u32 i = 0; i < 2; i++) {
        const float sum = sums[block * 4 + half * 2 + i];
        values[i] = kGated ? silu(sum) * sums[(block + kBlocks / 2) % kBlocks * 4 + half * 2 + i] : activate<ACTIVATION>(sum);
    }
}

// Plain and gated. The residual, which may be the output, is read for several blocks before they are stored, so that its latency is borne once for all.
template <typename Arguments>
__device__ __forceinline__ void store_rows(const Arguments& args, u32 row_tile, u32 column_tile, const WarpgroupSums& sums) {
    constexpr u32 kColumns = kGated ? OUT_FEATURES / 2 : OUT_FEATURES, kTileColumns = kOutputBlocks * 8, kBatch = 4;
    constexpr bool is_whole = kColumns % kTileColumns == 0;
    const u32 first_column = column_tile * kTileColumns;
#pragma unroll
    for (u32 half = 0; half < 2; half++) {
        const u32 row = row_of(row_tile, half);
        const bool has_row = row < args.rows;
        const i64 start = (i64)row * kColumns + first_column;
#pragma unroll
        for (u32 batch = 0; batch < kOutputBlocks; batch += kBatch) {
            float values[kBatch][2];
            bool has[kBatch];
#pragma unroll
            for (u32 i = 0; i < kBatch; i++) {
                has[i] = has_row && batch + i < kOutputBlocks && (is_whole || first_column + (batch + i) * 8 < kColumns);
                if (batch + i >= kOutputBlocks)
                    continue;
                finish(values[i], sums, batch + i, half);
                if constexpr (HAS_RESIDUAL) {
                    const uint2 residual = has[i] ? ld_global_v2(args.residual + start + (batch + i) * 8 + lane_quad() * 2) : uint2{0, 0};
                    values[i][0] += __uint_as_float(residual.x);
                    values[i][1] += __uint_as_float(residual.y);
                }
            }
#pragma unroll
            for (u32 i = 0; i < kBatch; i += 2) {
                OUTPUT* place = args.output + start + (batch + i) * 8;
                if (batch + i + 1 < kOutputBlocks)
                    store_blocks(place, values[i], values[i + 1], has[i], has[i + 1]);
                else if (batch + i < kOutputBlocks && has[i])
                    store_block(place, values[i]);
            }
        }
    }
}

#if EPILOGUE == 2
static_assert(HEAD_SIZE % 16 == 0 && OUT_FEATURES == KV_HEADS * kHeadsOfGroup * HEAD_SIZE, "two blocks lie in one head");

// Of two blocks side by side the second is rotated with the first, in queries and keys.
template <typename Arguments>
__device__ __forceinline__ void store_rope(const Arguments& args, u32 row_tile, u32 column_tile, const WarpgroupSums& sums) {
    constexpr bool is_whole = OUT_FEATURES % BLOCK_COLUMNS == 0;
#pragma unroll
    for (u32 half = 0; half < 2; half++) {
        const u32 row = row_of(row_tile, half);
        const bool has_row = row < args.rows;
        const RowPlace place = has_row ? find_place((i32)row, args.sequences, args.sequence_count, args.page_table) : RowPlace{-1, 0};
        const float2* row_angles = args.rope_table + (i64)max(place.position, 0) * (HEAD_SIZE / 2) + lane_quad() * 2;
#pragma unroll
        for (u32 block = 0; block < kBlocks; block += 2) {
            const u32 group = column_tile * BLOCK_COLUMNS + block * 8;
            const u32 head = group / HEAD_SIZE, column = group % HEAD_SIZE;
            const bool has_group = is_whole || group < OUT_FEATURES;
            float first[2] = {sums[block * 4 + half * 2], sums[block * 4 + half * 2 + 1]};
            float second[2] = {sums[block * 4 + 4 + half * 2], sums[block * 4 + 4 + half * 2 + 1]};
            if (has_group && is_rotated(head)) {
#pragma unroll
                for (u32 i = 0; i < 2; i++)
                    rotate(row_angles[column / 2 + i], first[i], second[i]);
            }
            STORAGE* destination = has_row && has_group ? head_destination(head, row, place, args.output, args.pages, args.page_bytes) : nullptr;
            store_blocks(destination + column, first, second, destination != nullptr, destination != nullptr);
        }
    }
}
#endif
