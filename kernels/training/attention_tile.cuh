// What the attention kernels of training share: where heads and rows lie, which keys a row sees, and tiles of one head in shared memory.
#pragma once
#include "common/math.cuh"
#include "common/packed.cuh"
#include "common/reduce.cuh"
#include "training/fragment_product.cuh"

constexpr u32 kHeadSize = HEAD_SIZE, kGroupSize = GROUP_SIZE;
constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;
constexpr u32 kOwnRows = 16 * kWarps;   // of a block: queries, or keys
constexpr u32 kOtherRows = 32;          // of a step
constexpr u32 kStride = padded<OPERAND>(kHeadSize), kWeightStride = padded<OPERAND>(kOtherRows);

static_assert(kHeadSize % 16 == 0 && kHeadSize <= 128, "whole fragments; sums of a row in registers");

// Queries, keys and values, each with one head's elements side by side. Group g of kGroupSize query heads and its key/value head begin g · group_stride elements on.
struct Heads {
    const float* query;     // [rows], row_stride elements apart, 16-byte aligned; likewise key, value
    const float* key;
    const float* value;
    u32 row_stride;
    u32 group_stride;
};

// Which keys a row sees: CAUSAL those from the beginning of its sequence to itself, else those of its picture.
struct Visible {
    const i32* starts;      // CAUSAL: [rows], the first row of each row's sequence; null where all rows are one
    u32 rows;
    u32 picture_rows;       // not CAUSAL: tokens of a picture

    __device__ __forceinline__ u32 first(u32 row) const {
        if constexpr (CAUSAL)
            return starts == nullptr ? 0 : (u32)starts[row];
        else
            return row / picture_rows * picture_rows;
    }

    __device__ __forceinline__ u32 end(u32 row) const {
        if constexpr (CAUSAL)
            return row + 1;
        else
            return (row / picture_rows + 1) * picture_rows;
    }

    __device__ __forceinline__ bool sees(u32 row, u32 key) const { return row < rows && key < rows && key >= first(row) && key < end(row); }
};

// Rows of one head to shared memory; zero where there are none. By all threads.
template <u32 kRows>
__device__ __forceinline__ void load_head(OPERAND* tile, const float* rows, u32 stride, u32 first, u32 count) {
    for (u32 index = threadIdx.x; index < kRows * kHeadSize / 4; index += BLOCK_THREADS) {
        const u32 row = index / (kHeadSize / 4), column = index % (kHeadSize / 4) * 4;
        float values[4] = {};
        if (first + row < count)
            load4(values, rows + (u64)(first + row) * stride + column);
        store_four(tile + row * kStride + column, values);
    }
}

__device__ __forceinline__ float quad_sum(float value) {
    return warp_reduce<Sum, 4>(value);
}
