// How a strip of 16 outputs is cut into windows and chunks, and the way of its weights from memory to a warp's registers.
//
// A window is 64 columns of the strip's rows. The warps of a block take windows in turns, so that a block reads runs of 512 or 1024 bytes of each row. A chunk is
// what a lane asks for together: 16 bytes of row g and 16 of row g + 8 (g = lane / 4), which are eight columns each, or sixteen of int8.
#pragma once
#include "common/types.cuh"
#include "ptx/createpolicy.cuh"
#include "ptx/ld.cuh"

#if WEIGHT_INT8
using Weight = i8;
#else
using Weight = STORAGE;
#endif

constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;
constexpr u32 kStripRows = 16, kGroupRows = 8;
constexpr u32 kStrips = (OUT_FEATURES + kStripRows - 1) / kStripRows;
constexpr u32 kWindowColumns = 64;
constexpr u32 kWindows = (IN_FEATURES + kWindowColumns - 1) / kWindowColumns;
constexpr u32 kTurns = (kWindows + kWarps - 1) / kWarps;
constexpr bool kWholeTurns = IN_FEATURES % (kWindowColumns * kWarps) == 0;

// Of a window, and vectors of eight of the input's columns that go with a chunk.
constexpr u32 kChunks = WEIGHT_INT8 ? 1 : 2;
constexpr u32 kVectors = WEIGHT_INT8 ? 2 : 1;

static_assert(PLAIN_ARITHMETIC == (sizeof(STORAGE) == 4), "tensor cores multiply 16-bit numbers");
static_assert(ROW_GROUPS == 1 || ROW_GROUPS == 2 || ROW_GROUPS == 4, "8, 16 or 32 rows of a block");
static_assert(IN_FEATURES % (WEIGHT_INT8 ? 16 : 8) == 0, "rows of whole 16-byte chunks");

// Turns that are on their way at a time: eight loads of a lane, or fewer where they would not divide the turns of a strip.
__device__ constexpr u32 turns_ahead() {
    u32 ahead = 4 / kChunks;
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
    return OUT_FEATURES % kStripRows == 0 || output < OUT_FEATURES ? output : OUT_FEATURES - 1;
}

#if !PLAIN_ARITHMETIC
struct Chunk {
    uint4 rows[2];  // g, g + 8
};

// Rounds of kSlots chunks, of one strip after another.
class WeightStream {
public:
    __device__ __forceinline__ explicit WeightStream(const Weight* weight)
        : weight(weight) {
#if __CUDA_ARCH__ >= 800
        policy = createpolicy_evict_first();
#endif
    }

    __device__ __forceinline__ void go_to(u32 strip) {
        const u32 column = warp_index() * kWindowColumns + vector_column(0, lane_quad());
        upper = weight + (i64)weight_row(strip * kStripRows + lane_row()) * IN_FEATURES + column;
        lower = weight + (i64)weight_row(strip * kStripRows + lane_row() + 8) * IN_FEATURES + column;
    }

    __device__ __forceinline__ void request(Chunk& chunk, u32 round, u32 slot) const {
        const u32 column = round * (kTurnsAhead * kWarps * kWindowColumns) + slot / kChunks * (kWarps * kWindowColumns) + slot % kChunks * 32;
        const bool is_inside = kWholeTurns || warp_index() * kWindowColumns + vector_column(0, lane_quad()) + column < IN_FEATURES;
        chunk.rows[0] = is_inside ? stream(upper + column) : uint4{0, 0, 0, 0};
        chunk.rows[1] = is_inside ? stream(lower + column) : uint4{0, 0, 0, 0};
    }

private:
    const Weight* weight;
    const Weight* upper;
    const Weight* lower;
#if __CUDA_ARCH__ >= 800
    u64 policy;

    __device__ __forceinline__ uint4 stream(const Weight* chunk) const { return ld_global_nc_no_allocate_v4(chunk, policy); }
#else
    __device__ __forceinline__ uint4 stream(const Weight* chunk) const { return ld_global_nc_no_allocate_v4(chunk); }
#endif
};
#endif
