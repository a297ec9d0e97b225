// A tile of rows x head_size 16-bit elements in shared memory, as copies write it and ldmatrix reads it: panels of 64 columns, 128 bytes a row.
// The eight 16-byte chunks of a panel's row are permuted by the row, so that neither whole rows nor eight rows of a column meet in a bank.
#pragma once
#include "common/math.cuh"

template <u32 rows, u32 head_size>
struct SharedTile {
    static_assert(rows % 16 == 0 && head_size % 16 == 0, "mma fragments cover 16 x 16 elements");

    static constexpr u32 kBytes = ceil_divide(head_size, 64) * rows * 128;

    // Of a chunk of eight columns, in bytes from the tile, which is aligned to 128.
    static __device__ __forceinline__ u32 offset(u32 row, u32 chunk) {
        return (chunk / 8 * rows + row) * 128 + (chunk % 8 ^ row % 8) * 16;
    }

    // The address that a lane gives ldmatrix for the 16 x 16 elements from row 16 row_block and column 16 column_block on. lane_address is that of
    // block (0, 0). Rows 16 apart are permuted alike and blocks hold two chunks, so the rest is constant.
    static __device__ __forceinline__ u32 block(u32 lane_address, u32 row_block, u32 column_block) {
        return (lane_address ^ column_block % 4 * 32) + (column_block / 4 * rows + row_block * 16) * 128;
    }

    // lane_address where matrices 0 to 3 are the upper left, lower left, upper right and lower right quarters: a row-major A operand,
    // or, transposed, B of two column tiles.
    static __device__ __forceinline__ u32 columns_last(u32 tile, u32 lane) {
        return tile + offset(lane % 16, lane / 16);
    }

    // lane_address in the order upper left, upper right, lower left, lower right: B, not transposed, of two column tiles that are rows here.
    static __device__ __forceinline__ u32 rows_last(u32 tile, u32 lane) {
        return tile + offset(lane % 8 + lane / 16 * 8, lane / 8 % 2);
    }
};
