// Stores of a warpgroup's values. A thread has two neighbours of a row in every n8 block; four lanes have a block's eight.
// Blocks are stored by twos: of 16-bit outputs neighbouring lanes exchange a pair, so that each stores four neighbours and the four of them a whole sector.
#pragma once
#include "common/packed.cuh"
#include "gemm/wgmma_tile.cuh"
#include "ptx/shfl.cuh"

// Two blocks of a row side by side; columns of the first begin at `row`. All lanes of a warp take part.
__device__ __forceinline__ void store_blocks(float* row, const float (&first)[2], const float (&second)[2], bool has_first, bool has_second) {
    if (has_first)
        st_global_v2(row + lane_quad() * 2, {__float_as_uint(first[0]), __float_as_uint(first[1])});
    if (has_second)
        st_global_v2(row + 8 + lane_quad() * 2, {__float_as_uint(second[0]), __float_as_uint(second[1])});
}

template <typename T>
__device__ __forceinline__ void store_blocks(T* row, const float (&first)[2], const float (&second)[2], bool has_first, bool has_second) {
    const bool is_odd = lane_quad() % 2 != 0;
    const u32 lower = pack_pair<T>(first[0], first[1]), upper = pack_pair<T>(second[0], second[1]);
    const u32 received = shfl_sync_bfly(is_odd ? lower : upper, 1);
    // Even lanes have four columns of the first block, odd ones of the second.
    if (is_odd ? has_second : has_first)
        st_global_v2(row + is_odd * 8 + lane_quad() / 2 * 4, is_odd ? uint2{received, upper} : uint2{lower, received});
}

// The last block of an odd number of them.
template <typename T>
__device__ __forceinline__ void store_block(T* row, const float (&values)[2]) {
    *reinterpret_cast<u32*>(row + lane_quad() * 2) = pack_pair<T>(values[0], values[1]);
}

__device__ __forceinline__ void store_block(float* row, const float (&values)[2]) {
    st_global_v2(row + lane_quad() * 2, {__float_as_uint(values[0]), __float_as_uint(values[1])});
}
