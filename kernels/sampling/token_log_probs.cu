// Log-probabilities of up to 64 tokens that were chosen, and of the likeliest tokens of their rows. They are those that the model gives:
//   logit - largest - ln(sum of exp(logit - largest)), of the logits as they are, without constraint, bias, penalties, temperature, top-k and top-p.
// Grid: x = part of the row (RowCut), y = row. A block sums the weights of its part in fixed point, relative to the largest of the part, so that the sum is the
// same in any order; the last block of the row adds the parts, relative to the largest of the row. The likeliest are found among at most 2048 candidates in shared memory (the k-th
// of the segments' largest is no larger than the k-th logit), or among the whole row where more are equal.
// A kernel of its own: answers that want no log-probabilities do not pay for them. The row comes from L2, once, and some segments of it again.
#include "ptx/st.cuh"
#include "sampling/row_cut.cuh"

constexpr u32 kVocabulary = VOCABULARY;
constexpr u32 kMostRows = 64, kMostLikely = 20;

struct LogProbRow {
    i32 row;                // of the logits
    i32 slot;               // of the answer
    u32 place;              // where the host looks for the results
    u32 likely;             // so many of the likeliest tokens are wanted, kMostLikely at most
};

struct Args {
    const float* logits;    // [any, vocabulary]
    const i32* ids;         // [slots]; the chosen ids
    u64* maxima;            // [rows, RowCut::kSegments]; from block to block
    u64* sums;              // [rows, blocks]; likewise, of the weights
    u32* arrivals;          // [rows], zero before and after
    uint2* results;         // [places], mapped host memory: {log-probability of the chosen token, number of likely tokens}
    uint2* likely;          // [places, kMostLikely], mapped host memory: {id, log-probability}, likeliest first, of equal ones the lower id
    LogProbRow rows[kMostRows];
};

static_assert(sizeof(Args) == ARGS_BYTES && kMostLikely == MOST_LIKELY && RowCut<kVocabulary>::kBlocks == BLOCKS, "as the host has them");

using LogitRow = Row<float, kVocabulary>;
using Cut = RowCut<kVocabulary>;

constexpr bool kAllFit = kVocabulary <= kListRoom;

struct LogProbs {
    u32 largest;            // key
    float log_sum;          // of the weights exp(logit - largest)

    __device__ __forceinline__ float of(u32 key) const {
        // Infinite less infinite is no number.
        return (key == largest ? 0.0f : logit_of(key) - logit_of(largest)) - log_sum;
    }
};

// Key and id in one number: of equal keys the lower id is the larger. 0 where no token above -infinity is below the limit.
template <typename Set>
__device__ u64 largest_below(const Set& set, Shared& shared, u64 limit) {
    const Part part(0, set.size(), threadIdx.x / kWarpLanes);
    u64 best = 0;
    for_each(set, part.begin, part.end, [&](u32 key, u32 index, bool valid) {
        const u64 both = (u64)key << 32 | (u32)~set.id(index < part.end ? index : part.end - 1);
        if (valid && key > kKeyOfMinusInfinity && both < limit)
            best = max(best, both);
    });
    return block_max(shared, best);
}

// Returns their number: tokens of -infinity are not among them.
template <typename Set>
__device__ u32 write_likeliest(const Set& set, Shared& shared, const LogProbs& log_probs, u32 count, uint2* likely) {
    u64 limit = ~0ull;
    for (u32 rank = 0; rank < count; rank++) {
        limit = largest_below(set, shared, limit);
        if (limit == 0)
            return rank;
        if (threadIdx.x == 0)
            st_global_v2(likely + rank, {~(u32)limit, __float_as_uint(log_probs.of((u32)(limit >> 32)))});
    }
    return count;
}

// Sum of a part's weights, in fixed point, relative to its largest. By all threads.
__device__ __forceinline__ u64 sum_of_part(const LaneKeys<kVocabulary>& tokens, Shared& shared, const Weights<kVocabulary>& weights) {
    u64 sum = 0;
    tokens.for_each([&](u32 key, u32) { sum += weights.of(key); });
    sum = warp_sum(sum);
    if (threadIdx.x % kWarpLanes == 0)
        shared.partials[threadIdx.x / kWarpLanes][0] = sum;
    return shfl_idx(sum_over_warps(shared, 1), 0);
}

// ln of the sum of all weights, relative to the largest of the row. By all threads.
__device__ float log_sum(Shared& shared, const u64* sums, u32 largest) {
    if (threadIdx.x < Cut::kBlocks) {
        u32 key = 0;
        for (u32 warp = 0; warp < kWarps; warp++)
            key = max(key, shared.maxima[threadIdx.x * kWarps + warp]);
        const double share = key == largest ? 1.0 : exp((double)logit_of(key) - (double)logit_of(largest));
        shared.weights[threadIdx.x] = (u64)((double)sums[threadIdx.x] * share);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        u64 sum = 0;
        for (u32 part = 0; part < Cut::kBlocks; part++)
            sum += shared.weights[part];
        shared.counts[0] = __float_as_uint(logf((float)sum / (float)(1ull << Weights<kVocabulary>::kFractionBits)));
    }
    __syncthreads();
    return __uint_as_float(shared.counts[0]);
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, 1) token_log_probs(const __grid_constant__ Args args) {
    __shared__ Shared shared;
    const LogProbRow& wanted = args.rows[blockIdx.y];
    LogitRow row = {args.logits + (i64)wanted.row * kVocabulary, {0, 1.0f}};
    const LaneKeys<kVocabulary> tokens(row.tokens, [](float logit, u32) { return key_of(logit); });
    const u64 mine = tokens.largest();
    u64* const sums = args.sums + (u64)blockIdx.y * Cut::kBlocks;
    row.weights.largest = (u32)(block_max(shared, mine) >> 32);
    const u64 sum = sum_of_part(tokens, shared, row.weights);
    if (threadIdx.x == 0)
        sums[blockIdx.x] = sum;
    Largest largest;
    if (!gather_largest<kVocabulary>(shared, args.maxima + (u64)blockIdx.y * Cut::kSegments, args.arrivals + blockIdx.y, mine, largest))
        return;
    row.weights.largest = largest.key;
    const bool are_numbers = largest.key != kKeyOfNan && largest.key != kKeyOfMinusInfinity;
    float log_prob = 0.0f;
    u32 found = 0;
    if (are_numbers) {
        const LogProbs log_probs = {largest.key, log_sum(shared, sums, largest.key)};
        log_prob = log_probs.of(key_of(row.tokens[args.ids[wanted.slot]]));
        if (wanted.likely > 0) {
            uint2* likely = args.likely + (u64)wanted.place * kMostLikely;
            u32 listed = kVocabulary;
            if constexpr (kAllFit)
                list_all(tokens, shared, row.weights);
            else
                listed = collect_likeliest(row, shared, wanted.likely);
            found = kAllFit || listed <= kListRoom ? write_likeliest(List{shared, listed}, shared, log_probs, wanted.likely, likely)
                                                   : write_likeliest(row, shared, log_probs, wanted.likely, likely);
        }
    }
    if (threadIdx.x == 0)
        st_global_v2(args.results + wanted.place, {__float_as_uint(log_prob), found});
}
