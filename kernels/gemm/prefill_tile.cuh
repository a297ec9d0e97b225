// The shape of a block's tile and where its operands lie in shared memory.
//
// A stage holds a slice of BLOCK_K columns of the input and of the weights: rows of 32, 64 or 128 bytes, whose 16-byte chunks are permuted (XOR with
// bits of the row), so that the eight chunks which a quarter-warp copies, or the eight rows which an ldmatrix reads, lie in different banks.
//
// Weights' rows change places as they are copied, so that a lane, which holds columns 2t and 2t + 1 of every n8 tile, ends with four neighbours of the
// output: columns 4t to 4t + 3 of 16 in tiles 2j and 2j + 1. Where an epilogue pairs rows (memory has them in turns of eight), the first of the pairs
// are in even tiles and their partners in the odd ones: channels 4t to 4t + 3 of 16 in tiles 4j, 4j + 2 and 4j + 1, 4j + 3.
#pragma once
#include "common/types.cuh"
#include "ptx/shared_memory.cuh"

#if WEIGHT_INT8
using Weight = i8;
#else
using Weight = STORAGE;
#endif

constexpr bool kPairedRows = PAIRED_ROWS;

constexpr u32 kChunkBytes = 16;
constexpr u32 kChunkElements = kChunkBytes / sizeof(STORAGE);
constexpr u32 kStepColumns = 16;                            // one mma m16n8k16, or two m16n8k8
constexpr u32 kSteps = BLOCK_K / kStepColumns;
constexpr u32 kInputRowBytes = BLOCK_K * sizeof(STORAGE);
constexpr u32 kWeightRowBytes = BLOCK_K * sizeof(Weight);
constexpr u32 kMainTiles = (IN_FEATURES + BLOCK_K - 1) / BLOCK_K;

// Partial LoRA's tail goes on where the weights' columns end. With int8 weights its 16-bit columns take twice the room, and with two inputs (gate, up)
// both stand side by side: half a slice a tile then, in a loop of its own.
constexpr bool kHasLora = LORA_INPUTS > 0;
constexpr u32 kLoraInputs = kHasLora ? LORA_INPUTS : 1;
constexpr bool kSeparateTail = kHasLora && (LORA_INPUTS == 2 || WEIGHT_INT8);
constexpr u32 kTailColumns = kSeparateTail ? BLOCK_K / 2 : BLOCK_K;
constexpr u32 kTailTiles = kHasLora ? (RANK + kTailColumns - 1) / kTailColumns : 0;
constexpr u32 kTailSteps = kTailColumns / kStepColumns;
constexpr u32 kTailRowBytes = kTailColumns * sizeof(STORAGE);

constexpr u32 kInputStageBytes = BLOCK_ROWS * kInputRowBytes;
constexpr u32 kWeightStageBytes = BLOCK_COLUMNS * (kHasLora && kTailRowBytes > kWeightRowBytes ? kTailRowBytes : kWeightRowBytes);
constexpr u32 kStageBytes = kInputStageBytes + kWeightStageBytes;

constexpr u32 kWarpsDown = BLOCK_ROWS / WARP_ROWS;
constexpr u32 kWarpsAcross = BLOCK_COLUMNS / WARP_COLUMNS;
constexpr u32 kTilesDown = WARP_ROWS / 16;
constexpr u32 kTilesAcross = WARP_COLUMNS / 8;

static_assert(PLAIN_ARITHMETIC == (sizeof(STORAGE) == 4), "tensor cores multiply 16-bit numbers");
static_assert(BLOCK_THREADS == kWarpsDown * kWarpsAcross * kWarpLanes, "a warp for each warp tile");
static_assert(WARP_ROWS % 16 == 0 && WARP_COLUMNS % 32 == 0, "whole mma tiles, whole groups of columns");
static_assert(BLOCK_K == 32 || (BLOCK_K == 64 && !PLAIN_ARITHMETIC), "rows of at most 128 bytes");
static_assert(IN_FEATURES % kChunkElements == 0 && (!WEIGHT_INT8 || IN_FEATURES % 16 == 0), "rows of whole 16-byte chunks");
static_assert(!kHasLora || RANK % kChunkElements == 0, "rows of whole 16-byte chunks");
static_assert(LORA_INPUTS != 2 || kPairedRows, "two inputs of Partial LoRA belong to gate and up");
static_assert(STAGES * kStageBytes == DYNAMIC_SHARED_BYTES, "the host gives the room");

// The sums of a lane: [tile down][tile across][row g: columns 2t, 2t + 1; row g + 8: the same].
using Sums = float[kTilesDown][kTilesAcross][4];

// Byte offset of a chunk in a tile of rows of row_bytes.
template <u32 row_bytes>
__device__ __forceinline__ u32 swizzled(u32 row, u32 chunk) {
    constexpr u32 chunks = row_bytes / kChunkBytes;
    static_assert(chunks == 2 || chunks == 4 || chunks == 8, "rows of 32, 64 or 128 bytes");
    return row * row_bytes + ((chunk ^ (row / (8 / chunks) % chunks)) * kChunkBytes);
}

// Which row of the weights (of the block's) stands in a row of shared memory. Linear in the bits: of(a + b) = of(a) + of(b) where a and b share none.
__device__ __forceinline__ constexpr u32 weight_row_of(u32 shared_row) {
    const u32 group = kPairedRows ? shared_row & ~31u : shared_row & ~15u;
    const u32 bit0 = shared_row & 1, bit1 = shared_row >> 1 & 1, bit2 = shared_row >> 2 & 1, bit3 = shared_row >> 3 & 1, bit4 = shared_row >> 4 & 1;
    return kPairedRows ? group | bit2 << 4 | bit3 << 3 | bit1 << 2 | bit4 << 1 | bit0
                       : group | bit2 << 3 | bit1 << 2 | bit3 << 1 | bit0;
}

// The warp's place in the block, the lane's in an mma tile.
__device__ __forceinline__ u32 warp_row() {
    return threadIdx.x / kWarpLanes % kWarpsDown * WARP_ROWS;
}

__device__ __forceinline__ u32 warp_column() {
    return threadIdx.x / kWarpLanes / kWarpsDown * WARP_COLUMNS;
}

__device__ __forceinline__ u32 lane_row() {
    return threadIdx.x % kWarpLanes / 4;
}

__device__ __forceinline__ u32 lane_quad() {
    return threadIdx.x % 4;
}
