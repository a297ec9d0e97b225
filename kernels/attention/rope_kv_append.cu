// The packed projection's way to an int8 cache: queries and keys are rotated, keys and values appended as integers with a scale a token and head,
// scale = largest |x| / 127, rounded to nearest even, all of it as the processor does it (Cpu/Position/CachedRows.cs). A head that holds a number that is not
// finite has a scale of NaN: it is not lost. Rows are in the model's order here; caches of 16 bits are appended to by the projection itself.
//
// A warp takes a head of a row: a lane one or two columns of the first half of it and those of the second half that are rotated with them.
// Grid: x = heads of the projection, four a block, y = row. Bounded by bytes, and by its launch.
#include "attention/int8_cache.cuh"
#include "common/reduce.cuh"
#include "gemm/rope_kv.cuh"
#include "ptx/griddepcontrol.cuh"

struct RopeKvAppendArguments {
    const float* packed;            // [rows, KV_HEADS x (GROUP_SIZE + 2) x HEAD_SIZE]
    STORAGE* queries;               // [rows, KV_HEADS x GROUP_SIZE x HEAD_SIZE]
    const float2* rope_table;       // [positions, HEAD_SIZE / 2], cosine and sine
    u8* pages;                      // of this layer
    i64 page_bytes;
    const SequenceSpan* sequences;  // [sequence_count]
    const i32* page_table;
    u32 rows;
    u32 sequence_count;
};

static_assert(sizeof(RopeKvAppendArguments) == ARGS_BYTES, "as the host lays it out");
static_assert(HEAD_SIZE % 64 == 0, "whole pairs for each lane");

constexpr u32 kHeads = KV_HEADS * kHeadsOfGroup;
constexpr u32 kHalf = HEAD_SIZE / 2;
constexpr u32 kPairs = kHalf / kWarpLanes;

// Column of pair i of the lane, in the first half of the head.
__device__ __forceinline__ u32 column_of(u32 i) {
    return threadIdx.x % kWarpLanes * kPairs + i;
}

// Bits of magnitudes are in the order of the magnitudes, with what is not finite above everything.
__device__ __forceinline__ float largest_of(const float (&first)[kPairs], const float (&second)[kPairs]) {
    u32 largest = 0;
#pragma unroll
    for (u32 i = 0; i < kPairs; i++)
        largest = max(largest, max(__float_as_uint(first[i]) & 0x7FFFFFFFu, __float_as_uint(second[i]) & 0x7FFFFFFFu));
#pragma unroll
    for (u32 distance = kWarpLanes / 2; distance > 0; distance /= 2)
        largest = max(largest, shfl_sync_bfly(largest, distance));
    return __uint_as_float(largest);
}

__device__ __forceinline__ i8 to_integer(float value, float scale) {
    return (i8)rintf(fminf(fmaxf(value / scale, -127.0f), 127.0f));
}

__device__ __forceinline__ void append(const RopeKvAppendArguments& args, const RowPlace& place, u32 head, const float (&first)[kPairs], const float (&second)[kPairs]) {
    using Cache = Int8Cache<KV_HEADS, HEAD_SIZE>;
    const u32 plane = (head % kHeadsOfGroup == GROUP_SIZE ? 0 : KV_HEADS) + head / kHeadsOfGroup, token = (u32)place.position % kPageTokens;
    u8* const start = args.pages + place.page * args.page_bytes + plane * Cache::kHeadBytes;
    const float scale = largest_of(first, second) / 127.0f;
    const bool is_finite = __float_as_uint(scale) < 0x7F800000u, is_usable = is_finite && scale > 0.0f;
    i8* const row = reinterpret_cast<i8*>(start) + token * HEAD_SIZE;
#pragma unroll
    for (u32 i = 0; i < kPairs; i++) {
        row[column_of(i)] = is_usable ? to_integer(first[i], scale) : 0;
        row[kHalf + column_of(i)] = is_usable ? to_integer(second[i], scale) : 0;
    }
    if (threadIdx.x % kWarpLanes == 0)
        reinterpret_cast<float*>(start + kPageTokens * HEAD_SIZE)[token] = is_finite ? scale : __uint_as_float(0x7FFFFFFFu);
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) rope_kv_append(const __grid_constant__ RopeKvAppendArguments args) {
    griddepcontrol_launch_dependents();
    griddepcontrol_wait();
    const u32 head = blockIdx.x * (BLOCK_THREADS / kWarpLanes) + threadIdx.x / kWarpLanes, row = blockIdx.y;
    if (head >= kHeads)
        return;
    const RowPlace place = find_place((i32)row, args.sequences, args.sequence_count, args.page_table, row);
    const float* const source = args.packed + ((i64)row * kHeads + head) * HEAD_SIZE;
    float first[kPairs], second[kPairs];
#pragma unroll
    for (u32 i = 0; i < kPairs; i++) {
        first[i] = source[column_of(i)];
        second[i] = source[kHalf + column_of(i)];
        if (is_rotated(head))
            rotate(args.rope_table[(i64)max(place.position, 0) * kHalf + column_of(i)], first[i], second[i]);
    }
    if (head % kHeadsOfGroup < GROUP_SIZE) {
        STORAGE* const query = args.queries + ((i64)row * (KV_HEADS * GROUP_SIZE) + head / kHeadsOfGroup * GROUP_SIZE + head % kHeadsOfGroup) * HEAD_SIZE;
#pragma unroll
        for (u32 i = 0; i < kPairs; i++) {
            query[column_of(i)] = from_float<STORAGE>(first[i]);
            query[kHalf + column_of(i)] = from_float<STORAGE>(second[i]);
        }
    } else if (place.position >= 0) {
        append(args, place, head, first, second);
    }
}
