// Chooses the next token of each of up to 64 answers from its row of logits, in one launch. The rules are those of Sampling/TokenSampler.cs and
// Sampling/LogitAdjustments.cs:
//   constraint   logits of ids that are not allowed are -infinity
//   bias         added to an id's logit; then count x frequency penalty + presence penalty subtracted, where the answer has the id already
//   penalty      logits of ids chosen before: positive ones divided by it, others multiplied; once, however often the id was chosen
//   greedy       the largest logit, of equal ones the lowest id; else
//   top-k        logits at least as large as the k-th largest
//   top-p        the likeliest of them, until their probabilities sum to at least top-p; of equal logits the lower ids go first
//   draw         the first id, in ascending order, at which the sum of the weights exp((logit - largest) / temperature) exceeds u times the whole
//                sum; u = Philox4x32-10 of seed and step, times 2^-32
// Weights are float, rounded to fixed point, and sums are integers: the same whatever the order of additions. Nothing is sorted. Borders are found by
// trying digits of the logits' bits: among at most 2048 tokens in shared memory where a bound that is cheap to have leaves so few (the k-th of the segments'
// largest logits; the weight that V tokens must exceed to matter), otherwise in passes over the row.
// Grid: x = part of the row (RowCut), y = row. A block changes its logits once, in registers, and leaves the largest of each warp's segment; the last block of
// the row chooses, from these alone if the choice is greedy, with top-k from the few segments that reach the bound, else in passes over the changed keys.
// The row comes from L2, 370 KB at 92,544 tokens: 16 blocks read it once; a pass of one block takes some 4 us.
// A NaN among the logits, or a row of nothing but -infinity, is told to the host for its row alone, and the next step is given id 0.
#include "sampling/philox.cuh"
#include "sampling/row_cut.cuh"
#include "ptx/st.cuh"

constexpr u32 kVocabulary = VOCABULARY;
constexpr u32 kSeenWords = (kVocabulary + 31) / 32;

constexpr u32 kMostRows = 64;

// How one answer is sampled, and where it stands.
struct SamplingState {
    u64 seed;
    u64 step;               // tokens of the answer before this one; counted here
    float temperature;
    float top_p;
    float penalty;
    u32 top_k;              // 0 keeps all
    u32 greedy;
    float frequency_penalty;
    float presence_penalty;
    u32 adjusts;            // it has biases or penalties of occurrences
    u32 constrained;        // not all ids are allowed
};

// Of one id in one answer.
struct Adjustment {
    float bias;
    u32 count;              // of its occurrences in the answer; counted here
};

// A row of logits, and the slot of its answer.
struct SampleRow {
    i32 row;
    i32 slot;
};

struct Args {
    const float* logits;    // [any, vocabulary]
    SamplingState* states;  // [slots]
    u32* seen;              // [slots, vocabulary / 32, rounded up]; bits of the ids chosen before
    const u32* allowed;     // [slots, vocabulary / 32, rounded up]; bits of the ids that may be chosen; read where the answer is constrained
    Adjustment* adjustments;  // [slots, vocabulary]; read where the answer adjusts
    i32* ids;               // [slots]; the chosen ids, for the next step
    u32* keys;              // [rows, vocabulary]; of the changed logits, from block to block
    u64* maxima;            // [rows, RowCut::kSegments]; likewise
    u32* arrivals;          // [rows], zero before and after
    uint2* tokens;          // [rows], mapped host memory: {id, ticket}, written at once. An id of -1 says that all logits are -infinity, -2 - i that
                            // logit i is the first NaN
    u32 ticket;             // of this launch, for the host to know its tokens by
    u32 reserved;
    SampleRow rows[kMostRows];
};

static_assert(sizeof(SamplingState) == STATE_BYTES && sizeof(Args) == ARGS_BYTES && RowCut<kVocabulary>::kBlocks == BLOCKS, "as the host has them");

using KeyRow = Row<u32, kVocabulary>;

constexpr bool kAllFit = kVocabulary <= kListRoom;

// What top-p leaves: every token above the border, and of those at the border the last ones that are needed to reach `wanted`.
struct Border {
    u32 key;
    u64 weight;             // of a token at the border
    u64 wanted;             // 0: all at the border stay
};

// Finds the token by cutting the set into a part for each warp, taking the part where the sum passes the target, and cutting again.
template <typename Set>
__device__ u32 draw(const Set& set, Shared& shared, const Border& border, u32 uniform) {
    const u32 lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes;
    u32 begin = 0, end = set.size();
    u64 skipped_ties = 0, target = 0;
    for (bool first = true; ; first = false) {
        const Part part(begin, end, warp);
        u64 above = 0;
        u32 ties = 0;
        for_each(set, part.begin, part.end, [&](u32 key, u32 index, bool valid) {
            above += valid && key > border.key ? set.weight(key, index) : 0;
            ties += valid && key == border.key ? 1 : 0;
        });
        above = warp_sum(above);
        const u64 warp_ties = warp_sum(ties);
        if (lane == 0) {
            shared.partials[warp][0] = above;
            shared.partials[warp][1] = warp_ties;
        }
        __syncthreads();
        // From here on lane l speaks for part l.
        const u64 part_above = shared.partials[lane][0], part_ties = shared.partials[lane][1];
        __syncthreads();
        const u64 ties_through = warp_prefix_sum(part_ties), ties_before = ties_through - part_ties;
        if (first && border.wanted != 0) {
            const u64 all_above = warp_sum(part_above), needed = (border.wanted - all_above + border.weight - 1) / border.weight;
            skipped_ties = shfl_idx(ties_through, kWarps - 1) - needed;
        }
        const u64 skipped_here = skipped_ties <= ties_before ? 0 : min(skipped_ties - ties_before, part_ties);
        const u64 through = warp_prefix_sum(part_above + (part_ties - skipped_here) * border.weight);
        if (first) {
            const u64 total = shfl_idx(through, kWarps - 1);
            target = uniform * (total >> 32) + (uniform * (total & 0xFFFFFFFFu) >> 32);
        }
        // One part always passes. A kernel must end all the same, whatever it is given: without one, the last part, and an id of the set.
        const u32 chosen = min((u32)__ffs(vote_sync_ballot(through > target)) - 1, kWarps - 1);
        const Part next(begin, end, chosen);
        if (next.end - next.begin <= 1)
            return set.id(min(next.begin, set.size() - 1));
        const u64 before = chosen == 0 ? 0 : shfl_idx(through, chosen - 1);
        const u64 ties_of_earlier = chosen == 0 ? 0 : shfl_idx(ties_through, chosen - 1);
        target -= before;
        skipped_ties -= min(skipped_ties, ties_of_earlier);
        begin = next.begin;
        end = next.end;
    }
}

__device__ __forceinline__ u64 share_of(u64 total, float part) {
    const double exact = (double)part * (double)total;
    const u64 whole = (u64)exact;
    return whole + ((double)whole < exact ? 1 : 0);
}

// Where all tokens fit, they are in the list.
__device__ u32 sample(const KeyRow& row, Shared& shared, const SamplingState& state) {
    const bool has_top_k = state.top_k > 0 && state.top_k < kVocabulary;
    u32 count = kVocabulary;
    if (!kAllFit && has_top_k)
        count = collect_likeliest(row, shared, state.top_k);
    bool listed = kAllFit || count <= kListRoom;
    u32 floor = kKeyOfMinusInfinity;
    if (has_top_k) {
        const auto one = [](u32) { return (u64)1; };
        floor = listed ? reach_in_list(shared, shared.keys, count, state.top_k, one) : reach_in_row(row, shared, state.top_k, one);
    }
    Border border = {floor, row.weights.of(floor), 0};
    if (state.top_p < 1.0f) {
        const u64 total = listed ? weight_from(List{shared, count}, shared, floor) : weight_from(row, shared, floor);
        border.wanted = share_of(total, state.top_p);
        if (!listed) {
            // All tokens of less weight than this are together less than what top-p may leave out.
            const u64 least = (total - border.wanted) / kVocabulary;
            count = collect(row, shared, [&](u32 key) { return key >= floor && row.weights.of(key) >= least; });
            listed = count <= kListRoom;
        }
        border.key = listed ? reach_in_list(shared, shared.keys, count, border.wanted, [&](u32 index) { return shared.weights[index]; })
                            : reach_in_row(row, shared, border.wanted, [&](u32 key) { return row.weights.of(key); });
        border.weight = row.weights.of(border.key);
    }
    const u32 uniform = philox_4x32_10(state.seed, state.step);
    return kAllFit || listed ? draw(List{shared, count}, shared, border, uniform) : draw(row, shared, border, uniform);
}

// Each operation is rounded as the host's.
__device__ __forceinline__ float adjusted(float logit, const Adjustment& by, const SamplingState& state) {
    logit = __fadd_rn(logit, by.bias);
    return by.count == 0 ? logit : __fadd_rn(logit, -__fadd_rn(__fmul_rn((float)by.count, state.frequency_penalty), state.presence_penalty));
}

__device__ __forceinline__ bool has_bit(const u32* bits, u32 id) {
    return (bits[id / 32] >> id % 32 & 1) != 0;
}

// Where the block's row has its state: read anew where it is needed, since an address takes two registers all along.
struct Place {
    const Args& args;

    __device__ __forceinline__ u64 slot() const { return args.rows[blockIdx.y].slot; }
    __device__ __forceinline__ SamplingState& state() const { return args.states[slot()]; }
    __device__ __forceinline__ u32* seen() const { return args.seen + slot() * kSeenWords; }
    __device__ __forceinline__ const u32* allowed() const { return args.allowed + slot() * kSeenWords; }
    __device__ __forceinline__ Adjustment* adjustments() const { return args.adjustments + slot() * kVocabulary; }
    __device__ __forceinline__ const float* logits() const { return args.logits + (i64)args.rows[blockIdx.y].row * kVocabulary; }
    __device__ __forceinline__ u32* keys() const { return args.keys + (u64)blockIdx.y * kVocabulary; }
    __device__ __forceinline__ u64* maxima() const { return args.maxima + (u64)blockIdx.y * RowCut<kVocabulary>::kSegments; }
};

__device__ __forceinline__ LaneKeys<kVocabulary> changed_keys(const Place& place) {
    const SamplingState& state = place.state();
    const bool constrained = state.constrained != 0, adjusts = state.adjusts != 0;
    const float penalty = state.penalty;
    return LaneKeys<kVocabulary>(place.logits(), [&](float logit, u32 id) {
        if (constrained && !has_bit(place.allowed(), id))
            logit = __uint_as_float(0xFF800000u);
        if (adjusts)
            logit = adjusted(logit, place.adjustments()[id], state);
        if (penalty != 1.0f && has_bit(place.seen(), id))
            logit = logit > 0.0f ? logit / penalty : logit * penalty;
        return key_of(logit);
    });
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, 1) sample_token(const __grid_constant__ Args args) {
    __shared__ Shared shared;
    const Place place = {args};
    const LaneKeys<kVocabulary> tokens = changed_keys(place);
    if (!kAllFit && place.state().greedy == 0)
        tokens.for_each([&](u32 key, u32 id) { place.keys()[id] = key; });
    Largest largest;
    if (!gather_largest<kVocabulary>(shared, place.maxima(), args.arrivals + blockIdx.y, tokens.largest(), largest))
        return;
    i32 id = (i32)largest.id;
    if (largest.key == kKeyOfNan) {
        id = -2 - id;
    } else if (largest.key == kKeyOfMinusInfinity) {
        id = -1;
    } else if (place.state().greedy == 0) {
        const KeyRow row = {place.keys(), {largest.key, place.state().temperature}};
        if constexpr (kAllFit)
            list_all(tokens, shared, row.weights);
        id = (i32)sample(row, shared, place.state());
    }
    // Every read of what changes here is before the last barrier, or in a block that has arrived.
    if (threadIdx.x != 0)
        return;
    if (id >= 0) {
        place.seen()[id / 32] |= 1u << id % 32;
        if (place.state().adjusts != 0)
            place.adjustments()[id].count++;
    }
    args.ids[place.slot()] = id >= 0 ? id : 0;
    place.state().step++;
    st_global_v2(args.tokens + blockIdx.y, {(u32)id, args.ticket});
}
