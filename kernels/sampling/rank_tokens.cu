// The likeliest tokens of up to 64 rows of logits, for searches over sequences, which choose among the tokens of several rows at once. Their log-probabilities
//   logit - largest - ln(sum of exp(logit - largest))
// are multiplied by a penalty where the sequence has the token already; with what comes of it they are told to the host.
// Grid: x = part of the row (RowCut), y = row. The last block of a row lists tokens among which are all that are wanted, in no order: of the tokens that the
// sequence does not have, at least k are not below the k-th of the segments' largest, and a penalty of 1 or more raises no other above them. Where that leaves
// more than 2048 (many are equal), the whole row is searched for one after the other.
// The row comes from L2, once, and some segments of it again.
#include "ptx/st.cuh"
#include "sampling/log_sum.cuh"

constexpr u32 kVocabulary = VOCABULARY;
constexpr u32 kSeenWords = (kVocabulary + 31) / 32;
constexpr u32 kMostRows = 64;

struct RankRow {
    i32 row;                // of the logits
    i32 slot;               // of the sequence
    u32 wanted;             // tokens, kListRoom at most
    float penalty;          // 1 or more
};

struct Args {
    const float* logits;    // [any, vocabulary]
    const u32* seen;        // [slots, vocabulary / 32, rounded up]; bits of the ids that a sequence has. Read where the penalty is not 1
    u64* maxima;            // [rows, RowCut::kSegments]; from block to block
    PartSum* parts;         // [rows, blocks]; likewise
    u32* arrivals;          // [rows], zero before and after
    uint2* tokens;          // [rows], mapped host memory: {id, ticket} of the largest logit; ids of -1 and below as sample_token writes them
    u32* counts;            // [rows], mapped host memory: tokens that were listed
    uint2* listed;          // [rows, kListRoom], mapped host memory: {id, penalised log-probability}
    u32 ticket;
    u32 reserved;
    RankRow rows[kMostRows];
};

static_assert(sizeof(Args) == ARGS_BYTES && kListRoom == LIST_ROOM && RowCut<kVocabulary>::kBlocks == BLOCKS, "as the host has them");

using LogitRow = Row<float, kVocabulary>;
using Cut = RowCut<kVocabulary>;

constexpr bool kAllFit = kVocabulary <= kListRoom;

struct Penalty {
    const u32* seen;
    float factor;

    __device__ __forceinline__ bool applies(u32 id) const { return factor != 1.0f && (seen[id / 32] >> id % 32 & 1) != 0; }
    __device__ __forceinline__ float of(float log_prob, u32 id) const { return applies(id) ? log_prob * factor : log_prob; }
};

// A row of log-probabilities after the penalty.
struct PenalizedRow {
    using Stored = float;
    const float* logits;
    const LogProbs& log_probs;
    const Penalty& penalty;

    __device__ __forceinline__ u32 size() const { return kVocabulary; }
    __device__ __forceinline__ u32 id(u32 index) const { return index; }
    __device__ __forceinline__ float stored(u32 index) const { return logits[index]; }
    __device__ __forceinline__ u32 key(float logit, u32 index) const { return key_of(penalty.of(log_probs.of(key_of(logit)), index)); }
};

// The largest of the warp's segment that the penalty does not apply to.
__device__ __forceinline__ u64 largest_unseen(const LaneKeys<kVocabulary>& tokens, const Penalty& penalty, u64 largest) {
    if (penalty.factor == 1.0f)
        return largest;
    u64 best = 0;
    tokens.for_each([&](u32 key, u32 id) { best = max(best, penalty.applies(id) ? 0 : with_id(key, id)); });
    return warp_max(best);
}

__device__ u32 write_in_order(const PenalizedRow& row, Shared& shared, u32 wanted, uint2* listed) {
    u64 limit = ~0ull;
    for (u32 rank = 0; rank < wanted; rank++) {
        limit = largest_below(row, shared, limit);
        if (limit == 0)
            return rank;
        if (threadIdx.x == 0)
            st_global_v2(listed + rank, {~(u32)limit, __float_as_uint(logit_of((u32)(limit >> 32)))});
    }
    return wanted;
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, 1) rank_tokens(const __grid_constant__ Args args) {
    __shared__ Shared shared;
    const RankRow& wanted = args.rows[blockIdx.y];
    const Penalty penalty = {args.seen + (u64)wanted.slot * kSeenWords, wanted.penalty};
    LogitRow row = {args.logits + (i64)wanted.row * kVocabulary, {0, 1.0f}};
    const LaneKeys<kVocabulary> tokens(row.tokens, [](float logit, u32) { return key_of(logit); });
    const u64 mine = tokens.largest();
    PartSum* const parts = args.parts + (u64)blockIdx.y * Cut::kBlocks;
    const PartSum part = sum_of_part(tokens, shared, mine);
    if (threadIdx.x == 0)
        parts[blockIdx.x] = part;
    Largest unseen;
    if (!gather_largest<kVocabulary>(shared, args.maxima + (u64)blockIdx.y * Cut::kSegments, args.arrivals + blockIdx.y, largest_unseen(tokens, penalty, mine), unseen))
        return;
    __syncthreads();
    const u64 both = largest_of_parts<kVocabulary>(shared, parts);
    const u32 largest = (u32)(both >> 32), largest_id = ~(u32)both;
    i32 id = (i32)largest_id;
    u32 count = 0;
    if (largest == kKeyOfNan) {
        id = -2 - id;
    } else if (largest == kKeyOfMinusInfinity) {
        id = -1;
    } else {
        row.weights.largest = largest;
        const LogProbs log_probs = {largest, log_sum<kVocabulary>(shared, parts, largest)};
        uint2* listed = args.listed + (u64)blockIdx.y * kListRoom;
        count = kVocabulary;
        if constexpr (kAllFit)
            list_all(tokens, shared, row.weights);
        else
            count = collect_likeliest(row, shared, wanted.wanted);
        if (kAllFit || count <= kListRoom) {
            for (u32 index = threadIdx.x; index < count; index += kThreads)
                st_global_v2(listed + index, {shared.ids[index], __float_as_uint(penalty.of(log_probs.of(shared.keys[index]), shared.ids[index]))});
        } else {
            count = write_in_order({row.tokens, log_probs, penalty}, shared, wanted.wanted, listed);
        }
    }
    if (threadIdx.x == 0) {
        args.counts[blockIdx.y] = count;
        st_global_v2(args.tokens + blockIdx.y, {(u32)id, args.ticket});
    }
}
