// A row of logits cut for several blocks: each has a part of it, each warp a segment of the part, a lane every 32nd token of the segment. A block keeps its
// tokens' keys in registers, leaves the largest of each segment in memory, and the last block of the row goes on with the whole: what is below a bound is
// found in few segments, because a segment whose largest is below it need not be read.
#pragma once
#include "common/arrive_last.cuh"
#include "sampling/candidates.cuh"

// The largest of a segment, key and id in one number: of equal keys the lower id is the larger.
__device__ __forceinline__ u64 with_id(u32 key, u32 id) {
    return (u64)key << 32 | (u32)~id;
}

// Keys of a lane's tokens; 0, below those of all tokens, behind the end of the row.
template <u32 vocabulary>
struct LaneKeys {
    using Cut = RowCut<vocabulary>;

    u32 keys[Cut::kPerLane];

    // key_of_token(logit, id).
    template <typename KeyOfToken>
    __device__ __forceinline__ LaneKeys(const float* logits, KeyOfToken key_of_token) {
        float read[Cut::kPerLane];
#pragma unroll
        for (u32 i = 0; i < Cut::kPerLane; i++)
            read[i] = logits[min(id(i), vocabulary - 1)];
#pragma unroll
        for (u32 i = 0; i < Cut::kPerLane; i++)
            keys[i] = id(i) < vocabulary ? key_of_token(read[i], id(i)) : 0;
    }

    __device__ __forceinline__ u32 id(u32 i) const {
        return (blockIdx.x * kWarps + threadIdx.x / kWarpLanes) * Cut::kSegment + i * kWarpLanes + threadIdx.x % kWarpLanes;
    }

    // Of the warp's segment, in every lane.
    __device__ __forceinline__ u64 largest() const {
        u64 best = 0;
#pragma unroll
        for (u32 i = 0; i < Cut::kPerLane; i++)
            best = max(best, keys[i] == 0 ? 0 : with_id(keys[i], id(i)));
        return warp_max(best);
    }

    // visit(key, id) for each token.
    template <typename Visit>
    __device__ __forceinline__ void for_each(Visit visit) const {
#pragma unroll
        for (u32 i = 0; i < Cut::kPerLane; i++)
            if (keys[i] != 0)
                visit(keys[i], id(i));
    }
};

// True in the last block of a row, which then has the largest token, and the largest keys of all segments in its shared memory. mine: of the warp's segment.
// maxima: [RowCut::kSegments] of the row. Has a barrier between what a block did before and what it does next.
template <u32 vocabulary>
__device__ __forceinline__ bool gather_largest(Shared& shared, u64* maxima, u32* arrivals, u64 mine, Largest& largest) {
    using Cut = RowCut<vocabulary>;
    const u32 warp = threadIdx.x / kWarpLanes;
    if constexpr (Cut::kBlocks > 1) {
        if (threadIdx.x % kWarpLanes == 0)
            maxima[blockIdx.x * kWarps + warp] = mine;
        if (!arrive_last(arrivals, Cut::kBlocks, shared.arrived_before))
            return false;
        for (u32 segment = threadIdx.x; segment < Cut::kSegments; segment += kThreads) {
            const u64 one = maxima[segment];
            shared.maxima[segment] = (u32)(one >> 32);
            mine = max(mine, one);
        }
    } else if (threadIdx.x % kWarpLanes == 0) {
        shared.maxima[warp] = (u32)(mine >> 32);
    }
    const u64 best = block_max(shared, mine);
    largest = {(u32)(best >> 32), ~(u32)best};
    return true;
}

// Lists the tokens of a row that fits, from the registers of its only block.
template <u32 vocabulary>
__device__ __forceinline__ void list_all(const LaneKeys<vocabulary>& tokens, Shared& shared, const Weights<vocabulary>& weights) {
    static_assert(vocabulary <= kListRoom && RowCut<vocabulary>::kBlocks == 1, "one block has them all");
    tokens.for_each([&](u32 key, u32 id) {
        shared.keys[id] = key;
        shared.ids[id] = id;
        shared.weights[id] = weights.of(key);
    });
    __syncthreads();
}

// visit(key, index, valid) for the tokens of the warp's segments whose largest belongs(key). A warp has neighbouring segments, so that its tokens follow those
// of the warp before.
template <typename T, u32 vocabulary, typename Belong, typename Visit>
__device__ __forceinline__ void for_segments(const Row<T, vocabulary>& row, const Shared& shared, Belong belong, Visit visit) {
    using Cut = RowCut<vocabulary>;
    constexpr u32 kBatch = Cut::kPerLane < 6 ? Cut::kPerLane : 6;
    const u32 first = threadIdx.x / kWarpLanes * Cut::kBlocks;
#pragma unroll 1
    for (u32 segment = first; segment < first + Cut::kBlocks; segment++)
        if (belong(shared.maxima[segment]))
            for_each<kBatch>(row, min(segment * Cut::kSegment, vocabulary), min((segment + 1) * Cut::kSegment, vocabulary), visit);
}

// Lists the tokens that belong(key), in their order: where a key belongs, so does every larger one. Returns their number; where it is over kListRoom, nothing
// was listed.
template <typename T, u32 vocabulary, typename Belong>
__device__ u32 collect(const Row<T, vocabulary>& row, Shared& shared, Belong belong) {
    const u32 lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes;
    u32 found = 0;
    for_segments(row, shared, belong, [&](u32 key, u32, bool valid) { found += __popc(vote_sync_ballot(valid && belong(key))); });
    if (lane == 0)
        shared.counts[warp] = found;
    __syncthreads();
    const u32 through = (u32)warp_prefix_sum(shared.counts[lane]);
    const u32 count = shfl_sync_idx(through, kWarps - 1);
    u32 next = shfl_sync_idx(through, warp) - found;
    if (count <= kListRoom)
        for_segments(row, shared, belong, [&](u32 key, u32 index, bool valid) {
            const bool mine = valid && belong(key);
            const u32 lanes = vote_sync_ballot(mine);
            if (mine) {
                const u32 place = next + __popc(lanes & ((1u << lane) - 1));
                shared.keys[place] = key;
                shared.ids[place] = index;
                shared.weights[place] = row.weights.of(key);
            }
            next += __popc(lanes);
        });
    __syncthreads();
    return count;
}

// Lists tokens among which are the k likeliest: at least k are not below the k-th of the segments' largest. Lists nothing, and returns the size of the row,
// where there are not as many segments.
template <typename T, u32 vocabulary>
__device__ u32 collect_likeliest(const Row<T, vocabulary>& row, Shared& shared, u32 k) {
    if (k > RowCut<vocabulary>::kSegments)
        return vocabulary;
    const u32 bound = reach_in_list(shared, shared.maxima, RowCut<vocabulary>::kSegments, k, [](u32) { return (u64)1; });
    return collect(row, shared, [&](u32 key) { return key >= bound; });
}
