// Log-probabilities of up to 64 tokens that were chosen, and of the likeliest tokens of their rows. They are those that the model gives:
//   logit - largest - ln(sum of exp(logit - largest)), of the logits as they are, without constraint, bias, penalties, temperature, top-k and top-p.
// Grid: x = part of the row (RowCut), y = row. A block sums the weights of its part in fixed point, relative to the largest of the part, so that the sum is the
// same in any order; the last block of the row adds the parts, relative to the largest of the row. The likeliest are found among at most 2048 candidates in shared memory (the k-th
// of the segments' largest is no larger than the k-th logit), or among the whole row where more are equal.
// A kernel of its own: answers that want no log-probabilities do not pay for them. The row comes from L2, once, and some segments of it again.
#include "ptx/st.cuh"
#include "sampling/log_sum.cuh"

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
    PartSum* parts;         // [rows, blocks]; likewise
    u32* arrivals;          // [rows], zero before and after
    uint2* results;         // [places], mapped host memory: {log-probability of the chosen token, number of likely tokens}
    uint2* likely;          // [places, kMostLikely], mapped host memory: {id, log-probability}, likeliest first, of equal ones the lower id
    LogProbRow rows[kMostRows];
};

static_assert(sizeof(Args) == ARGS_BYTES && kMostLikely == MOST_LIKELY && RowCut<kVocabulary>::kBlocks == BLOCKS, "as the host has them");

using LogitRow = Row<float, kVocabulary>;
using Cut = RowCut<kVocabulary>;

constexpr bool kAllFit = kVocabulary <= kListRoom;

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

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, 1) token_log_probs(const __grid_constant__ Args args) {
    __shared__ Shared shared;
    const LogProbRow& wanted = args.rows[blockIdx.y];
    LogitRow row = {args.logits + (i64)wanted.row * kVocabulary, {0, 1.0f}};
    const LaneKeys<kVocabulary> tokens(row.tokens, [](float logit, u32) { return key_of(logit); });
    const u64 mine = tokens.largest();
    PartSum* const parts = args.parts + (u64)blockIdx.y * Cut::kBlocks;
    const PartSum part = sum_of_part(tokens, shared, mine);
    if (threadIdx.x == 0)
        parts[blockIdx.x] = part;
    Largest largest;
    if (!gather_largest<kVocabulary>(shared, args.maxima + (u64)blockIdx.y * Cut::kSegments, args.arrivals + blockIdx.y, mine, largest))
        return;
    row.weights.largest = largest.key;
    const bool are_numbers = largest.key != kKeyOfNan && largest.key != kKeyOfMinusInfinity;
    float log_prob = 0.0f;
    u32 found = 0;
    if (are_numbers) {
        const LogProbs log_probs = {largest.key, log_sum<kVocabulary>(shared, parts, largest.key)};
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
