// Sets of tokens that a block searches: a whole row in global memory, or the few that can still be chosen, in shared memory.
// Both are ordered by id. Everything here is called by all threads of the block, and every thread gets the answer.
#pragma once
#include "ptx/shfl.cuh"
#include "ptx/vote.cuh"
#include "sampling/logits.cuh"

constexpr u32 kThreads = BLOCK_THREADS;
constexpr u32 kWarps = kThreads / kWarpLanes;
constexpr u32 kListRoom = 2048;

static_assert(kWarps == kWarpLanes, "a lane for each warp where a block's sums come together");

// How a row is cut into parts, one a block, and segments, one a warp. The host has the same in Sampling/RowCut.cs.
template <u32 vocabulary>
struct RowCut {
    static constexpr u32 kMostBlocks = 32, kUsualPerLane = 6;
    static constexpr u32 kForOne = (vocabulary + kThreads - 1) / kThreads, kForMost = (vocabulary + kMostBlocks * kThreads - 1) / (kMostBlocks * kThreads);
    static constexpr u32 kPerLane = kForMost > kUsualPerLane ? kForMost : kForOne < kUsualPerLane ? kForOne : kUsualPerLane;
    static constexpr u32 kSegment = kPerLane * kWarpLanes;
    static constexpr u32 kBlocks = (vocabulary + kSegment * kWarps - 1) / (kSegment * kWarps);
    static constexpr u32 kSegments = kBlocks * kWarps;
};

constexpr u32 kMostSegments = RowCut<1>::kMostBlocks * kWarps;

struct Shared {
    u64 partials[kWarps][kWarpLanes];
    u64 weights[kListRoom];
    u32 keys[kListRoom];
    u32 ids[kListRoom];
    u32 maxima[kMostSegments];  // largest keys of the row's segments
    u32 counts[kWarps];
    u32 arrived_before;
};

static_assert(sizeof(Shared) <= 48 * 1024, "static shared memory");

__device__ __forceinline__ u32 as_key(float logit) {
    return key_of(logit);
}

__device__ __forceinline__ u32 as_key(u32 key) {
    return key;
}

// T: f32 of logits, u32 of keys.
template <typename T, u32 vocabulary>
struct Row {
    using Stored = T;
    const T* tokens;            // [vocabulary]
    Weights<vocabulary> weights;

    __device__ __forceinline__ u32 size() const { return vocabulary; }
    __device__ __forceinline__ u32 id(u32 index) const { return index; }
    __device__ __forceinline__ T stored(u32 index) const { return tokens[index]; }
    __device__ __forceinline__ u64 weight(u32 key, u32) const { return weights.of(key); }
    __device__ __forceinline__ u32 key(T stored, u32) const { return as_key(stored); }
};

struct List {
    using Stored = u32;
    const Shared& shared;
    u32 count;

    __device__ __forceinline__ u32 size() const { return count; }
    __device__ __forceinline__ u32 id(u32 index) const { return shared.ids[index]; }
    __device__ __forceinline__ u32 stored(u32 index) const { return shared.keys[index]; }
    __device__ __forceinline__ u64 weight(u32, u32 index) const { return shared.weights[index]; }
    __device__ __forceinline__ u32 key(u32 key, u32) const { return key; }
};

// visit(key, index, valid) for a warp's tokens begin to end, a lane each; all lanes call it together. Loads go out kBatch at a time.
template <u32 kBatch = 4, typename Set, typename Visit>
__device__ __forceinline__ void for_each(const Set& set, u32 begin, u32 end, Visit visit) {
    const u32 lane = threadIdx.x % kWarpLanes;
    for (u32 first = begin; first < end; first += kBatch * kWarpLanes) {
        typename Set::Stored stored[kBatch];
#pragma unroll
        for (u32 i = 0; i < kBatch; i++) {
            const u32 index = first + i * kWarpLanes + lane;
            stored[i] = set.stored(index < end ? index : end - 1);
        }
#pragma unroll
        for (u32 i = 0; i < kBatch; i++) {
            const u32 index = first + i * kWarpLanes + lane;
            const bool valid = index < end;
            visit(set.key(stored[i], valid ? index : end - 1), index, valid);
        }
    }
}

// The part of a range that is the calling warp's, when it is cut into consecutive parts.
struct Part {
    u32 begin, end;

    __device__ __forceinline__ Part(u32 range_begin, u32 range_end, u32 warp) {
        u32 length = (range_end - range_begin + kWarps - 1) / kWarps;
        if (length > kWarpLanes)
            length = (length + kWarpLanes - 1) / kWarpLanes * kWarpLanes;
        begin = min(range_begin + warp * length, range_end);
        end = min(begin + length, range_end);
    }
};

__device__ __forceinline__ u64 shfl_up(u64 value, u32 delta) {
    return (u64)shfl_sync_up((u32)(value >> 32), delta) << 32 | shfl_sync_up((u32)value, delta);
}

__device__ __forceinline__ u64 shfl_idx(u64 value, u32 lane) {
    return (u64)shfl_sync_idx((u32)(value >> 32), lane) << 32 | shfl_sync_idx((u32)value, lane);
}

__device__ __forceinline__ u64 warp_sum(u64 value) {
#pragma unroll
    for (u32 distance = kWarpLanes / 2; distance > 0; distance /= 2)
        value += (u64)shfl_sync_bfly((u32)(value >> 32), distance) << 32 | shfl_sync_bfly((u32)value, distance);
    return value;
}

// Sum of the lanes up to and with this one.
__device__ __forceinline__ u64 warp_prefix_sum(u64 value) {
    const u32 lane = threadIdx.x % kWarpLanes;
#pragma unroll
    for (u32 distance = 1; distance < kWarpLanes; distance *= 2) {
        const u64 before = shfl_up(value, distance);
        value += lane >= distance ? before : 0;
    }
    return value;
}

// Each warp wrote partials[warp][0 to columns]: a lane gets the sum of its column over all warps. The partials may be written again at once.
__device__ __forceinline__ u64 sum_over_warps(const Shared& shared, u32 columns) {
    const u32 lane = threadIdx.x % kWarpLanes;
    __syncthreads();
    u64 sum = 0;
    if (lane < columns)
        for (u32 warp = 0; warp < kWarps; warp++)
            sum += shared.partials[warp][lane];
    __syncthreads();
    return sum;
}

// Total weight of all tokens with at least this key.
template <typename Set>
__device__ u64 weight_from(const Set& set, Shared& shared, u32 floor) {
    const u32 warp = threadIdx.x / kWarpLanes;
    const Part part(0, set.size(), warp);
    u64 sum = 0;
    for_each(set, part.begin, part.end, [&](u32 key, u32 index, bool valid) {
        sum += valid && key >= floor ? set.weight(key, index) : 0;
    });
    sum = warp_sum(sum);
    if (threadIdx.x % kWarpLanes == 0)
        shared.partials[warp][0] = sum;
    return shfl_idx(sum_over_warps(shared, 1), 0);
}

// Digits of the largest key at which the amounts, summed from the largest key downwards, reach what is wanted. sums: what the lane's pivot reaches.
__device__ __forceinline__ u32 last_reaching(u64 sum, u32 pivots, u64 wanted) {
    const bool reaches = threadIdx.x % kWarpLanes < pivots && sum >= wanted;
    // Lane 0, whose pivot is no new condition, always reaches.
    return 31 - __clz(vote_sync_ballot(reaches) | 1);
}

// The largest key such that the amounts of all with at least this key reach `wanted`, which the sum of all does. Among few keys in shared memory:
// each lane tries another value of the next five bits, each warp a part of the keys. amount(index).
template <typename Amount>
__device__ u32 reach_in_list(Shared& shared, const u32* keys, u32 count, u64 wanted, Amount amount) {
    const u32 lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes;
    u32 prefix = 0;
    for (i32 shift = 27; shift > -5; shift -= 5) {
        const u32 low = shift > 0 ? shift : 0, pivots = 1u << (5 + shift - low);
        const u32 pivot = prefix | lane % pivots << low;
        u64 sum = 0;
        for (u32 index = warp; index < count; index += kWarps)
            sum += keys[index] >= pivot ? amount(index) : 0;
        shared.partials[warp][lane] = sum;
        prefix |= last_reaching(sum_over_warps(shared, pivots), pivots, wanted) << low;
    }
    return prefix;
}

// The same among all tokens of a row: three bits a pass. amount(key).
template <typename Set, typename Amount>
__device__ u32 reach_in_row(const Set& row, Shared& shared, u64 wanted, Amount amount) {
    const u32 lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes;
    const Part part(0, row.size(), warp);
    u32 prefix = 0;
    for (i32 shift = 29; shift > -3; shift -= 3) {
        const u32 low = shift > 0 ? shift : 0, pivots = 1u << (3 + shift - low);
        u64 sums[8] = {};
        // Two: the sums take the registers of the other loads.
        for_each<2>(row, part.begin, part.end, [&](u32 key, u32, bool valid) {
            const u64 mine = valid && key >= prefix ? amount(key) : 0;
            const u32 digit = (key - prefix) >> low;
#pragma unroll
            for (u32 pivot = 1; pivot < 8; pivot++)
                sums[pivot] += digit >= pivot ? mine : 0;
        });
#pragma unroll
        for (u32 pivot = 1; pivot < 8; pivot++) {
            const u64 sum = warp_sum(sums[pivot]);
            if (lane == pivot)
                shared.partials[warp][pivot] = sum;
        }
        if (lane == 0)
            shared.partials[warp][0] = 0;
        prefix |= last_reaching(sum_over_warps(shared, pivots), pivots, wanted) << low;
    }
    return prefix;
}

__device__ __forceinline__ u64 warp_max(u64 value) {
#pragma unroll
    for (u32 distance = kWarpLanes / 2; distance > 0; distance /= 2)
        value = max(value, (u64)shfl_sync_bfly((u32)(value >> 32), distance) << 32 | shfl_sync_bfly((u32)value, distance));
    return value;
}

__device__ __forceinline__ u64 block_max(Shared& shared, u64 value) {
    const u32 lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes;
    value = warp_max(value);
    if (lane == 0)
        shared.partials[warp][0] = value;
    __syncthreads();
    value = warp_max(shared.partials[lane][0]);
    __syncthreads();
    return value;
}

// Key of the largest logit, and its lowest id.
struct Largest {
    u32 key;
    u32 id;
};
