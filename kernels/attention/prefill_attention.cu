// softmax(Q Kᵀ / sqrt(d)) V, causal: each row of the step attends to the tokens of its own sequence up to its own position, all of which are in the
// paged cache already, d = HEAD_SIZE. Queries of GROUP_SIZE heads share a key/value head; queries and keys are rotated.
// A block takes 64 rows of one sequence and one query head and walks the pages in tiles of TILE_KEYS keys. Only tiles that cross the diagonal are masked.
// Grid: x = query head, so that a group reads its keys at the same time; y = tile of rows, at least as many as there can be: the last sequence's
// last tile, which sees the most keys of its sequence, comes first, and blocks without a tile leave. Bound by arithmetic, on tensor cores.
// Predicted: 32 layers of 32 heads of 128 and 1300 rows are 0.443 TFLOP, 18 ms on an RTX 3070 at 60 % of its rate.
// Serves sm_75 (f16) and later. STORAGE f32 is a witness for tests.
#include "attention/flash_attention.cuh"
#include "attention/paged_cache.cuh"
#include "attention/plain_attention.cuh"

struct PrefillAttentionArguments {
    const STORAGE* queries;      // [rows, KEY_VALUE_HEADS x GROUP_SIZE x HEAD_SIZE]
    STORAGE* outputs;            // the same
    const u8* layer;             // in physical page 0
    i64 page_bytes;
    const SequenceSpan* spans;   // [sequences]
    const i32* page_table;
    u32 sequences;
    float score_scale;           // log2(e) / sqrt(HEAD_SIZE)
};

static_assert(sizeof(PrefillAttentionArguments) == ARGS_BYTES, "as the host lays it out");
static_assert(BLOCK_THREADS == 128, "four warps of 16 rows");
static_assert(!CACHE_INT8 || sizeof(STORAGE) == 2, "integers become 16-bit numbers");

constexpr u32 kRows = BLOCK_THREADS / 2;
constexpr u32 kRowStride = KEY_VALUE_HEADS * GROUP_SIZE * HEAD_SIZE;

template <typename T, u32 tile_keys>
struct CausalKeys {
    static_assert(kPageTokens % tile_keys == 0, "a tile lies in one page");
    using Cache = KeyValueCache<T, KEY_VALUE_HEADS, HEAD_SIZE>;
#if CACHE_INT8
    using Rows = Int8Rows;
#else
    using Rows = const T*;
#endif

    static constexpr u32 kStride = HEAD_SIZE;
    static constexpr i64 value_offset = Cache::kValueOffset;

    Cache cache;
    const i32* pages;  // of the sequence
    u32 kv_head;
    u32 first_limit;   // of the tile's first row
    u32 count;

    __device__ __forceinline__ Rows tile(u32 index) const {
        constexpr u32 kTiles = kPageTokens / tile_keys;
        return cache.keys(pages[index / kTiles], kv_head, index % kTiles * tile_keys);
    }
    __device__ __forceinline__ u32 limit(u32 row) const { return first_limit + row; }
};

struct RowTile {
    SequenceSpan span;
    u32 first_row;  // of the sequence
};

// The block's tile of rows; false where there are fewer tiles than blocks.
__device__ __forceinline__ bool find_tile(const PrefillAttentionArguments& arguments, RowTile& tile) {
    u32 index = blockIdx.y;
    for (u32 sequence = arguments.sequences; sequence-- > 0;) {
        tile.span = arguments.spans[sequence];
        const u32 tiles = ceil_divide(tile.span.row_count, kRows);
        if (index < tiles) {
            tile.first_row = (tiles - 1 - index) * kRows;
            return true;
        }
        index -= tiles;
    }
    return false;
}

template <typename T>
__device__ __forceinline__ void attend(const PrefillAttentionArguments& arguments, const RowTile& tile) {
    constexpr bool kPlain = sizeof(T) == 4;
    const u32 row_count = min(kRows, tile.span.row_count - tile.first_row);
    const u32 first_limit = tile.span.past_length + tile.first_row + 1;
    const u64 start = (u64)(tile.span.first_row + tile.first_row) * kRowStride + blockIdx.x * HEAD_SIZE;
    using Keys = CausalKeys<T, kPlain ? kWarpLanes : TILE_KEYS>;
    const Keys keys{{arguments.layer, arguments.page_bytes}, arguments.page_table + tile.span.first_page, blockIdx.x / GROUP_SIZE,
                    first_limit, first_limit + row_count - 1};
    if constexpr (kPlain)
        plain_attention<HEAD_SIZE, kRowStride, kRowStride>(keys, arguments.queries + start, arguments.outputs + start, row_count, arguments.score_scale);
    else
        FlashAttention<T, HEAD_SIZE, TILE_KEYS, kRowStride, kRowStride, Keys>(keys, arguments.score_scale)
            .run(arguments.queries + start, arguments.outputs + start, row_count);
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, HEAD_SIZE <= 64 ? 3 : 2)
    prefill_attention(const __grid_constant__ PrefillAttentionArguments arguments) {
    RowTile tile;
    if (find_tile(arguments, tile))
        attend<STORAGE>(arguments, tile);
}
