// ln of the sum of a row's weights exp(logit - largest), summed in fixed point by the blocks of a row, so that it is the same in any order.
#pragma once
#include "sampling/row_cut.cuh"

// Of a part: the sum of its weights, relative to its largest token. What its block leaves for the last one.
struct PartSum {
    u64 sum;
    u64 largest;            // key and id
};

struct LogProbs {
    u32 largest;            // key
    float log_sum;          // of the weights exp(logit - largest)

    __device__ __forceinline__ float of(u32 key) const {
        // Infinite less infinite is no number.
        return (key == largest ? 0.0f : logit_of(key) - logit_of(largest)) - log_sum;
    }
};

// By all threads; in thread 0's hands. Has a barrier.
template <u32 vocabulary>
__device__ __forceinline__ PartSum sum_of_part(const LaneKeys<vocabulary>& tokens, Shared& shared, u64 largest_of_segment) {
    const u64 largest = block_max(shared, largest_of_segment);
    const Weights<vocabulary> weights = {(u32)(largest >> 32), 1.0f};
    u64 sum = 0;
    tokens.for_each([&](u32 key, u32) { sum += weights.of(key); });
    sum = warp_sum(sum);
    if (threadIdx.x % kWarpLanes == 0)
        shared.partials[threadIdx.x / kWarpLanes][0] = sum;
    return {shfl_idx(sum_over_warps(shared, 1), 0), largest};
}

// The largest token of a row. By all threads of its last block.
template <u32 vocabulary>
__device__ __forceinline__ u64 largest_of_parts(Shared& shared, const PartSum* parts) {
    return block_max(shared, threadIdx.x < RowCut<vocabulary>::kBlocks ? parts[threadIdx.x].largest : 0);
}

// By all threads of the last block. largest: of the row, neither NaN nor -infinity.
template <u32 vocabulary>
__device__ float log_sum(Shared& shared, const PartSum* parts, u32 largest) {
    constexpr u32 kParts = RowCut<vocabulary>::kBlocks;
    if (threadIdx.x < kParts) {
        const PartSum part = parts[threadIdx.x];
        const u32 key = (u32)(part.largest >> 32);
        const double share = key == largest ? 1.0 : exp((double)logit_of(key) - (double)logit_of(largest));
        shared.weights[threadIdx.x] = (u64)((double)part.sum * share);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        u64 sum = 0;
        for (u32 part = 0; part < kParts; part++)
            sum += shared.weights[part];
        shared.counts[0] = __float_as_uint(logf((float)sum / (float)(1ull << Weights<vocabulary>::kFractionBits)));
    }
    __syncthreads();
    return __uint_as_float(shared.counts[0]);
}

// Key and id in one number: of equal keys the lower id is the larger. 0 where no token above -infinity is below the limit.
template <typename Set>
__device__ u64 largest_below(const Set& set, Shared& shared, u64 limit) {
    const Part part(0, set.size(), threadIdx.x / kWarpLanes);
    u64 best = 0;
    for_each(set, part.begin, part.end, [&](u32 key, u32 index, bool valid) {
        const u64 both = with_id(key, set.id(index < part.end ? index : part.end - 1));
        if (valid && key > kKeyOfMinusInfinity && both < limit)
            best = max(best, both);
    });
    return block_max(shared, best);
}
