// Log-probabilities of up to 64 tokens that were chosen, and of the likeliest tokens of their rows, one block a row. They are those that the model gives:
//   logit - largest - ln(sum of exp(logit - largest)), of the logits as they are, without penalty, temperature, top-k and top-p.
// Weights are rounded to fixed point, so that their sum is the same in any order. The likeliest are found among at most 2048 candidates in shared memory
// (the k-th largest of the threads' own maxima is no larger than the k-th logit), or among the whole row where more are equal.
// A kernel of its own: answers that want no log-probabilities do not pay for them. The row comes from L2: 3 passes.
#include "ptx/st.cuh"
#include "sampling/candidates.cuh"

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
    uint2* results;         // [places], mapped host memory: {log-probability of the chosen token, number of likely tokens}
    uint2* likely;          // [places, kMostLikely], mapped host memory: {id, log-probability}, likeliest first, of equal ones the lower id
    LogProbRow rows[kMostRows];  // of each block
};

static_assert(sizeof(Args) == ARGS_BYTES && kMostLikely == MOST_LIKELY, "as the host has them");

using LogitRow = Row<kVocabulary>;

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

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) token_log_probs(const __grid_constant__ Args args) {
    __shared__ Shared shared;
    const LogProbRow& wanted = args.rows[blockIdx.x];
    LogitRow row = {args.logits + (i64)wanted.row * kVocabulary, nullptr, 1.0f, {0, 1.0f}};
    row.weights.largest = find_largest(row, shared, shared.keys).key;
    const bool are_numbers = row.weights.largest != kKeyOfNan && row.weights.largest != kKeyOfMinusInfinity;
    float log_prob = 0.0f;
    u32 found = 0;
    if (are_numbers) {
        const float one = (float)(1ull << Weights<kVocabulary>::kFractionBits);
        // The threads' maxima stay in the list's keys.
        const LogProbs log_probs = {row.weights.largest, logf((float)weight_from(row, shared, 0) / one)};
        const u32 id = (u32)args.ids[wanted.slot];
        log_prob = log_probs.of(row.key(row.stored(id), id));
        if (wanted.likely > 0) {
            uint2* likely = args.likely + (u64)wanted.place * kMostLikely;
            const u32 listed = collect_likeliest(row, shared, wanted.likely);
            found = listed <= kListRoom ? write_likeliest(List{shared, listed}, shared, log_probs, wanted.likely, likely)
                                        : write_likeliest(row, shared, log_probs, wanted.likely, likely);
        }
    }
    if (threadIdx.x == 0)
        st_global_v2(args.results + wanted.place, {__float_as_uint(log_prob), found});
}
