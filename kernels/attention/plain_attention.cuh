// The same as flash_attention.cuh for storage of 32 bits, in plain loops: a witness for tests, not fast. Rows of the tile go to warps in turn; lanes share
// 32 keys at a time, then the columns of the output.
#pragma once
#include "attention/online_softmax.cuh"

template <u32 head_size, u32 query_stride, u32 output_stride, typename Keys>
__device__ __forceinline__ void plain_attention_row(const Keys& keys, u32 limit, const float* query, float* output, float score_scale) {
    constexpr u32 kColumns = ceil_divide(head_size, kWarpLanes);
    const u32 lane = threadIdx.x % kWarpLanes;
    float sums[kColumns] = {};
    float maximum = Maximum::identity();
    float sum = 0.0f;
    for (u32 first = 0; first < limit; first += kWarpLanes) {
        const float* const tile = keys.tile(first / kWarpLanes);
        float score = Maximum::identity();
        if (first + lane < limit) {
            score = 0.0f;
            for (u32 column = 0; column < head_size; ++column)
                score = fmaf(query[column], tile[lane * Keys::kStride + column], score);
            score *= score_scale;
        }
        const float greatest = fmaxf(maximum, warp_reduce<Maximum>(score));
        const float reference = softmax_reference(greatest);
        const float rescale = ex2_approx_ftz(maximum - reference);
        const float weight = ex2_approx_ftz(score - reference);
        maximum = greatest;
        sum = sum * rescale + warp_reduce<Sum>(weight);
#pragma unroll
        for (u32 part = 0; part < kColumns; ++part)
            sums[part] *= rescale;
        for (u32 key = 0; key < min(kWarpLanes, limit - first); ++key) {
            const float key_weight = shfl_sync_idx(weight, key);
#pragma unroll
            for (u32 part = 0; part < kColumns; ++part)
                if (lane + part * kWarpLanes < head_size)
                    sums[part] = fmaf(key_weight, tile[keys.value_offset + key * Keys::kStride + lane + part * kWarpLanes], sums[part]);
        }
    }
#pragma unroll
    for (u32 part = 0; part < kColumns; ++part)
        if (lane + part * kWarpLanes < head_size)
            output[lane + part * kWarpLanes] = sums[part] * softmax_normalizer(sum);
}

// Keys: as in flash_attention.cuh, with tiles of 32 keys.
template <u32 head_size, u32 query_stride, u32 output_stride, typename Keys>
__device__ __forceinline__ void plain_attention(const Keys& keys, const float* queries, float* outputs, u32 row_count, float score_scale) {
    for (u32 row = threadIdx.x / kWarpLanes; row < row_count; row += BLOCK_THREADS / kWarpLanes)
        plain_attention_row<head_size, query_stride, output_stride>(
            keys, keys.limit(row), queries + (u64)row * query_stride, outputs + (u64)row * output_stride, score_scale);
}
