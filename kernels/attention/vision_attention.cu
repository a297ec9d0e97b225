// softmax(Q Kᵀ / sqrt(d)) V of every token to every token of the same picture and head, d = HEAD_SIZE, without a mask.
// A block takes 64 queries of one head of one picture and walks all keys in tiles of TILE_KEYS; the keys beyond the last are masked in the last tile only.
// Grid: x = tile of queries, y = head, z = picture. Bound by arithmetic: 4 · tokens² · d operations a head, on tensor cores.
// Predicted: 24 layers of 16 heads and 1226 tokens are 0.148 TFLOP, 6 ms on an RTX 3070 at 60 % of its rate.
// Serves sm_75 (f16) and later. STORAGE f32 is a witness for tests.
#include "attention/flash_attention.cuh"
#include "attention/plain_attention.cuh"

struct VisionAttentionArguments {
    const STORAGE* queries;  // [images x tokens, HEADS x HEAD_SIZE], rows INPUT_STRIDE elements apart; keys and values alike
    const STORAGE* keys;
    const STORAGE* values;
    STORAGE* outputs;  // [images x tokens, HEADS x HEAD_SIZE]
    u32 tokens;        // of one picture
    float score_scale; // log2(e) / sqrt(HEAD_SIZE)
};

static_assert(sizeof(VisionAttentionArguments) == ARGS_BYTES, "as the host lays it out");
static_assert(BLOCK_THREADS == 128, "four warps of 16 rows");

constexpr u32 kRows = BLOCK_THREADS / 2;
constexpr u32 kOutputStride = HEADS * HEAD_SIZE;

template <typename T, u32 tile_keys>
struct PictureKeys {
    using Rows = const T*;

    static constexpr u32 kStride = INPUT_STRIDE;

    const T* first;
    i64 value_offset;
    u32 count;

    __device__ __forceinline__ const T* tile(u32 index) const { return first + (u64)index * tile_keys * INPUT_STRIDE; }
    __device__ __forceinline__ u32 limit(u32) const { return count; }
};

template <typename T>
__device__ __forceinline__ void attend(const VisionAttentionArguments& arguments) {
    constexpr bool kPlain = sizeof(T) == 4;
    const u32 first_row = blockIdx.x * kRows;
    const u32 row_count = min(kRows, arguments.tokens - first_row);
    const u64 picture = (u64)blockIdx.z * arguments.tokens;
    const u64 start = picture * INPUT_STRIDE + blockIdx.y * HEAD_SIZE;
    const T* const queries = arguments.queries + start + (u64)first_row * INPUT_STRIDE;
    T* const outputs = arguments.outputs + (picture + first_row) * kOutputStride + blockIdx.y * HEAD_SIZE;
    using Keys = PictureKeys<T, kPlain ? kWarpLanes : TILE_KEYS>;
    const Keys keys{arguments.keys + start, arguments.values - arguments.keys, arguments.tokens};
    if constexpr (kPlain)
        plain_attention<HEAD_SIZE, INPUT_STRIDE, kOutputStride>(keys, queries, outputs, row_count, arguments.score_scale);
    else
        FlashAttention<T, HEAD_SIZE, TILE_KEYS, INPUT_STRIDE, kOutputStride, Keys>(keys, arguments.score_scale).run(queries, outputs, row_count);
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, HEAD_SIZE <= 64 ? 3 : 2) vision_attention(const __grid_constant__ VisionAttentionArguments arguments) {
    attend<STORAGE>(arguments);
}
