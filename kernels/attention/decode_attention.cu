// softmax(q Kᵀ / sqrt(d)) V of the newest token of each sequence to all its tokens, which are in the paged cache already, its own included.
// Queries of GROUP_SIZE heads share a key/value head, d = HEAD_SIZE; queries and keys are rotated.
// A block takes one key/value head of one sequence and a run of pages; each of its four warps 16 tokens of every page, without shared memory or barriers.
// Where a sequence has several runs, blocks leave partial results, and the last to arrive adds them in the order of the pages: what comes out does not
// depend on who was last. Grid: x = key/value head, y = run, z = sequence, sized for the longest sequences: lengths are read from device memory, and blocks
// without a page leave. Bound by bytes: every key and value is read once. From sm_90 on a block starts while the projection before it ends, and sends for
// its keys and values, all but the newest of which are there; the last of the runs reads what the others left eight parts at a time, once.
// Predicted: 4096 tokens of 8 heads of 128 are 17 MB a layer, 44 us on an RTX 3070 at 85 % of its bandwidth.
// Serves sm_75 (f16) and later. STORAGE f32 is a witness for tests.
#include "attention/decode_rows.cuh"
#include "attention/paged_cache.cuh"
#include "attention/plain_decode_rows.cuh"
#include "common/arrive_last.cuh"
#include "common/packed.cuh"
#include "ptx/griddepcontrol.cuh"
#include "ptx/prefetch.cuh"

constexpr u32 kRowElements = KEY_VALUE_HEADS * GROUP_SIZE * HEAD_SIZE;
constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;

struct DecodeAttentionArguments {
    const STORAGE* queries;        // [rows, KEY_VALUE_HEADS x GROUP_SIZE x HEAD_SIZE]
    STORAGE* outputs;              // the same
    const u8* layer;               // in physical page 0
    i64 page_bytes;
    const SequenceSpan* spans;     // [sequences] of one row each; an empty one is a free place
    const i32* page_table;
    float* partial_outputs;        // [sequences, KEY_VALUE_HEADS, runs, GROUP_SIZE, HEAD_SIZE]
    SoftmaxState* partial_states;  // [sequences, KEY_VALUE_HEADS, runs, GROUP_SIZE]
    u32* arrivals;                 // [sequences, KEY_VALUE_HEADS], zero before and after
    float score_scale;             // log2(e) / sqrt(HEAD_SIZE)
};

static_assert(sizeof(DecodeAttentionArguments) == ARGS_BYTES, "as the host lays it out");
static_assert(!CACHE_INT8 || sizeof(STORAGE) == 2, "integers become 16-bit numbers");

// Of the block's sequence.
struct PageRun {
    u32 first_page;
    u32 end_page;
    u32 length;  // tokens of the sequence
    u32 runs;    // that have pages
};

// What the warps of a block found.
struct WarpResults {
    alignas(16) float outputs[kWarps][GROUP_SIZE][HEAD_SIZE];
    SoftmaxState states[kWarps][GROUP_SIZE];
};

// Runs of equally many pages; the last may be shorter.
__device__ __forceinline__ PageRun find_run(const SequenceSpan& span) {
    const u32 length = span.row_count == 0 ? 0 : span.past_length + span.row_count;
    const u32 pages = ceil_divide(length, kPageTokens);
    const u32 run_pages = max(ceil_divide(pages, gridDim.y), 1u);
    const u32 first_page = blockIdx.y * run_pages;
    return {first_page, min(first_page + run_pages, pages), length, ceil_divide(pages, run_pages)};
}

// Two pages of the run on their way to L2, a line of keys and one of values for each thread.
__device__ __forceinline__ void prefetch_pages(const DecodeAttentionArguments& arguments, const SequenceSpan& span, const PageRun& run) {
#if __CUDA_ARCH__ >= 900
    using Cache = KeyValueCache<STORAGE, KEY_VALUE_HEADS, HEAD_SIZE>;
    constexpr u32 kLineBytes = 128;
    for (u32 page = run.first_page; page < min(run.end_page, run.first_page + 2); ++page) {
        const u8* const keys = arguments.layer + arguments.page_table[span.first_page + page] * arguments.page_bytes + blockIdx.x * Cache::kHeadBytes;
        for (u32 place = threadIdx.x * kLineBytes; place < Cache::kHeadBytes; place += BLOCK_THREADS * kLineBytes) {
            prefetch_global_l2(keys + place);
            prefetch_global_l2(keys + KEY_VALUE_HEADS * Cache::kHeadBytes + place);
        }
    }
#endif
}

template <typename T>
struct RowsOf {
    using Type = DecodeRows<T, GROUP_SIZE, HEAD_SIZE>;
};

template <>
struct RowsOf<f32> {
    using Type = PlainDecodeRows<GROUP_SIZE, HEAD_SIZE>;
};

template <typename T>
__device__ __forceinline__ void attend(const DecodeAttentionArguments& arguments, const SequenceSpan& span, const PageRun& run, u64 queries, WarpResults& results) {
    using Rows = typename RowsOf<T>::Type;
    using Cache = KeyValueCache<T, KEY_VALUE_HEADS, HEAD_SIZE>;
    static_assert(kWarps * Rows::kTokens == kPageTokens, "the warps share a page");
    const Cache cache{arguments.layer, arguments.page_bytes};
    const i32* const pages = arguments.page_table + span.first_page;
    const u32 warp = threadIdx.x / kWarpLanes;
    const u32 first_token = warp * Rows::kTokens;
    Rows rows(arguments.queries + queries);
    i32 next = pages[run.first_page];
    for (u32 page = run.first_page; page < run.end_page; ++page) {
        const u32 end_token = run.length - page * kPageTokens;
        if (first_token >= end_token)
            break;
        const auto keys = cache.keys(next, blockIdx.x, first_token);
        if (page + 1 < run.end_page)
            next = pages[page + 1];
        rows.add(keys, keys + Cache::kValueOffset, end_token - first_token, arguments.score_scale);
    }
    rows.store(results.outputs[warp], results.states[warp]);
}

// Four columns of a head for each thread and turn.
template <typename Body>
__device__ __forceinline__ void for_outputs(Body body) {
    constexpr u32 kParts = HEAD_SIZE / 4;
    for (u32 index = threadIdx.x; index < GROUP_SIZE * kParts; index += BLOCK_THREADS)
        body(index / kParts, index % kParts * 4);
}

__device__ __forceinline__ void write(STORAGE* outputs, u32 head, u32 column, const MergedOutputs& merged) {
    const float normalizer = softmax_normalizer(merged.state.sum);
    const float rounded[4] = {merged.values[0] * normalizer, merged.values[1] * normalizer, merged.values[2] * normalizer, merged.values[3] * normalizer};
    store4(outputs + head * HEAD_SIZE + column, rounded);
}

// A group of one head shares nothing, and on sm_86 would spill at four blocks; so would integers on their way to 16 bits.
extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, __CUDA_ARCH__ >= 800 && GROUP_SIZE > 1 && !CACHE_INT8 ? 4 : 3)
decode_attention(const __grid_constant__ DecodeAttentionArguments arguments) {
    __shared__ WarpResults results;
    __shared__ u32 arrived_before;
    griddepcontrol_launch_dependents();
    const SequenceSpan span = arguments.spans[blockIdx.z];
    const PageRun run = find_run(span);
    prefetch_pages(arguments, span, run);
    // Also where there is nothing to do: the next kernel waits for this one alone, and so for all before it.
    griddepcontrol_wait();
    if (run.first_page >= run.end_page)
        return;
    const u64 queries = (u64)span.first_row * kRowElements + blockIdx.x * GROUP_SIZE * HEAD_SIZE;
    attend<STORAGE>(arguments, span, run, queries, results);
    __syncthreads();

    STORAGE* const outputs = arguments.outputs + queries;
    const u32 place = blockIdx.z * KEY_VALUE_HEADS + blockIdx.x;
    float* const partial_outputs = arguments.partial_outputs + (u64)place * gridDim.y * GROUP_SIZE * HEAD_SIZE;
    SoftmaxState* const partial_states = arguments.partial_states + (u64)place * gridDim.y * GROUP_SIZE;
    for_outputs([&](u32 head, u32 column) {
        const MergedOutputs merged = merge_parts<kWarps>(&results.outputs[0][head][column], GROUP_SIZE * HEAD_SIZE, &results.states[0][head], GROUP_SIZE, kWarps);
        if (run.runs == 1) {
            write(outputs, head, column, merged);
            return;
        }
        const u32 partial = blockIdx.y * GROUP_SIZE + head;
        store4(partial_outputs + (u64)partial * HEAD_SIZE + column, merged.values);
        if (column == 0)
            partial_states[partial] = merged.state;
    });
    if (run.runs == 1 || !arrive_last(arguments.arrivals + place, run.runs, arrived_before))
        return;
    for_outputs([&](u32 head, u32 column) {
        write(outputs, head, column, merge_parts<8>(partial_outputs + head * HEAD_SIZE + column, GROUP_SIZE * HEAD_SIZE, partial_states + head, GROUP_SIZE, run.runs));
    });
}
