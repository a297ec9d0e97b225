// How a strip of 16 outputs is cut into windows and chunks, and the way of its weights from memory to a warp's registers.
//
// A window is 64 columns of the strip's rows. The warps of a block take windows in turns, so that a block reads runs of 512 or 1024 bytes of each row. A chunk is
// what a lane asks for together: 16 bytes of row g and 16 of row g + 8 (g = lane / 4), which are eight columns each, or sixteen of int8. A window of int4
// is a unit, 512 bytes in a row, and 16 bytes of it are a lane's chunk.
// Weights in groups of columns bring the window's scales and zero points along.
#pragma once
#include "common/types.cuh"
#include "gemm/weight_format.cuh"
#include "ptx/createpolicy.cuh"
#include "ptx/ld.cuh"

#if WEIGHT_INT8
using Weight = i8;
#elif WEIGHT_INT4
using Weight = u8;
#else
using Weight = STORAGE;
#endif

constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;
constexpr u32 kStripRows = 16, kGroupRows = 8;
constexpr u32 kStrips = (OUT_FEATURES + kStripRows - 1) / kStripRows;
constexpr bool kWholeStrips = OUT_FEATURES % kStripRows == 0;
constexpr u32 kWindowColumns = 64;
constexpr u32 kWindows = (IN_FEATURES + kWindowColumns - 1) / kWindowColumns;
constexpr u32 kTurns = (kWindows + kWarps - 1) / kWarps;
constexpr bool kWholeTurns = IN_FEATURES % (kWindowColumns * kWarps) == 0;

// Of a window; loads of a lane for a chunk; vectors of eight of the input's columns that go with it.
constexpr u32 kChunks = WEIGHT_INT8 || WEIGHT_INT4 ? 1 : 2;
constexpr u32 kChunkLoads = WEIGHT_INT4 ? 1 : 2;
constexpr u32 kVectors = 2 / kChunks;

constexpr bool kGrouped = WEIGHT_GROUP > 0;
constexpr u32 kGroupsOfWindow = !kGrouped ? 0 : WEIGHT_GROUP < kWindowColumns ? kWindowColumns / WEIGHT_GROUP : 1;
constexpr u32 kGroups = kGrouped ? (IN_FEATURES + WEIGHT_GROUP - 1) / WEIGHT_GROUP : 0;

static_assert(PLAIN_ARITHMETIC == (sizeof(STORAGE) == 4), "tensor cores multiply 16-bit numbers");
static_assert(ROW_GROUPS == 1 || ROW_GROUPS == 2 || (ROW_GROUPS == 4 && !WEIGHT_INT8 && !WEIGHT_INT4), "8, 16 or, of floating weights, 32 rows of a block");
static_assert(IN_FEATURES % (WEIGHT_INT8 ? 16 : 8) == 0, "rows of whole 16-byte chunks");

// Turns that are on their way at a time: eight loads of a lane, four or two where registers hold more beside them, or fewer where they would not divide the turns of
// a strip.
constexpr bool kHasIntegers = WEIGHT_INT8 || WEIGHT_INT4;
constexpr u32 kLoadsAhead = (ROW_GROUPS > 1 && kHasIntegers) || (WEIGHT_INT8 && kGrouped) || (WEIGHT_INT4 && HAS_NORM && !STAGED_INPUT) ? 2 : ROW_GROUPS > 1 || kGrouped || (HAS_NORM && !STAGED_INPUT) ? 4 : 8;

__device__ constexpr u32 turns_ahead() {
    u32 ahead = kLoadsAhead / (kChunks * kChunkLoads);
    while (kTurns % ahead != 0)
        ahead--;
    return ahead;
}

constexpr u32 kTurnsAhead = turns_ahead();
constexpr u32 kSlots = kTurnsAhead * kChunks;
constexpr u32 kRounds = kTurns / kTurnsAhead;

__device__ __forceinline__ u32 warp_index() {
    return threadIdx.x / kWarpLanes;
}

__device__ __forceinline__ u32 lane_row() {
    return threadIdx.x % kWarpLanes / 4;
}

__device__ __forceinline__ u32 lane_quad() {
    return threadIdx.x % 4;
}

// The first of eight columns in a window that are vector 0 or 1 of lanes of a quad number.
__device__ __forceinline__ u32 vector_column(u32 vector, u32 quad) {
    return WEIGHT_INT8 ? quad * 16 + vector * 8 : vector * 32 + quad * 8;
}

// Outputs that do not exist read the last row; their sums are not stored.
__device__ __forceinline__ u32 weight_row(u32 output) {
    return kWholeStrips || output < OUT_FEATURES ? output : OUT_FEATURES - 1;
}

struct DecodeWeights {
    const Weight* weight;       // [OUT_FEATURES, IN_FEATURES], or units
    const void* scale;          // f32 [OUT_FEATURES], or, of groups, f16 [strips, groups, 8, 2]
    const u8* zero;             // [strips, groups, 8, 2]
};

#if !PLAIN_ARITHMETIC
struct Chunk {
    uint4 rows[kChunkLoads];    // g, g + 8
#if WEIGHT_GROUP
    u32 scales[kGroupsOfWindow];    // of rows g and g + 8
    u32 zeros[WEIGHT_ZEROS ? kGroupsOfWindow : 1];
#endif
};

// Rounds of kSlots chunks, of one strip after another.
class WeightStream {
public:
    __device__ __forceinline__ explicit WeightStream(const DecodeWeights& weights)
        : weights(weights) {
#if __CUDA_ARCH__ >= 800 && ROW_GROUPS == 1
        policy = createpolicy_evict_first();
#endif
    }

    __device__ __forceinline__ void go_to(u32 strip) {
#if WEIGHT_INT4
        upper = weights.weight + ((i64)strip * kWindows + warp_index()) * (kWindowColumns * kStripRows / 2) + threadIdx.x % kWarpLanes * 16;
#else
        const u32 column = warp_index() * kWindowColumns + vector_column(0, lane_quad());
        upper = weights.weight + (i64)weight_row(strip * kStripRows + lane_row()) * IN_FEATURES + column;
        lower = weights.weight + (i64)weight_row(strip * kStripRows + lane_row() + 8) * IN_FEATURES + column;
#endif
#if WEIGHT_GROUP
        first_group = strip * kGroups;
#endif
    }

    __device__ __forceinline__ void request(Chunk& chunk, u32 round, u32 slot) const {
        const u32 turn = round * kTurnsAhead + slot / kChunks;
#if WEIGHT_INT4
        const bool is_inside = kWholeTurns || turn * kWarps + warp_index() < kWindows;
        chunk.rows[0] = is_inside ? stream(upper + turn * (kWarps * kWindowColumns * kStripRows / 2)) : uint4{0, 0, 0, 0};
#else
        const u32 column = turn * (kWarps * kWindowColumns) + slot % kChunks * 32;
        const bool is_inside = kWholeTurns || warp_index() * kWindowColumns + vector_column(0, lane_quad()) + column < IN_FEATURES;
        chunk.rows[0] = is_inside ? stream(upper + column) : uint4{0, 0, 0, 0};
        chunk.rows[1] = is_inside ? stream((kWholeStrips ? upper + 8 * IN_FEATURES : lower) + column) : uint4{0, 0, 0, 0};
#endif
#if WEIGHT_GROUP
#pragma unroll
        for (u32 part = 0; part < kGroupsOfWindow; part++) {
            const u32 group = ((turn * kWarps + warp_index()) * kGroupsOfWindow + part) * (WEIGHT_GROUP < kWindowColumns ? WEIGHT_GROUP : kWindowColumns) / WEIGHT_GROUP;
            const u32 place = (first_group + group) * 8 + lane_row();
            chunk.scales[part] = is_inside ? ld_global_nc_u32(static_cast<const u32*>(weights.scale) + place) : 0;
#if WEIGHT_ZEROS
            chunk.zeros[part] = is_inside ? reinterpret_cast<const u16*>(weights.zero)[place] : 0;
#endif
        }
#endif
    }

private:
    DecodeWeights weights;
    const Weight* upper;
#if !WEIGHT_INT4
    const Weight* lower;
#endif
#if WEIGHT_GROUP
    u32 first_group;
#endif
    // Where several blocks may read a strip, the second is to find it in L2.
#if __CUDA_ARCH__ >= 800 && ROW_GROUPS == 1
    u64 policy;

    __device__ __forceinline__ uint4 stream(const Weight* chunk) const { return ld_global_no_allocate_v4(chunk, policy); }
#else
    __device__ __forceinline__ uint4 stream(const Weight* chunk) const { return ld_global_no_allocate_v4(chunk); }
#endif
};
#endif
