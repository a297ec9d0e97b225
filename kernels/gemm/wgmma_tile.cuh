// The shape of a block's tile of linear_wgmma.cu, and where its operands lie in shared memory.
//
// A stage holds 64 columns of K of 128 rows of the input and of BLOCK_COLUMNS rows of the weights: rows of 128 bytes whose 16-byte chunks are permuted by the
// 128-byte swizzle, as tensor maps write and matrix descriptors read them. Each of two consumer warpgroups has 64 rows of the tile.
// Gate and up, which lie in memory in turns of eight rows, come apart on the way: the gates' rows first, then the ups', so that sum i of a thread meets sum
// i + kSums / 2.
#pragma once
#include "common/math.cuh"
#include "common/types.cuh"
#include "gemm/linear_epilogue.cuh"
#include "ptx/wgmma.cuh"

constexpr u32 kBlockRows = 128;
constexpr u32 kBlockK = 64;
constexpr u32 kRowBytes = kBlockK * sizeof(STORAGE);
constexpr u32 kStepBytes = 16 * sizeof(STORAGE);            // of K, of one wgmma
constexpr u32 kSwizzleBytes = 8 * kRowBytes;                // eight rows: after them the pattern begins anew

constexpr u32 kGroupThreads = 128;
constexpr u32 kGroupRows = 64;
constexpr u32 kConsumers = kBlockRows / kGroupRows;         // warpgroups
constexpr u32 kConsumerWarps = kConsumers * kGroupThreads / kWarpLanes;

constexpr u32 kInputBytes = kBlockRows * kRowBytes;
constexpr u32 kWeightBytes = BLOCK_COLUMNS * kRowBytes;
constexpr u32 kStageBytes = kInputBytes + kWeightBytes;

constexpr bool kGated = EPILOGUE == kGatedEpilogue;
constexpr u32 kTurns = OUT_FEATURES / 16;                   // of eight gates and eight ups
constexpr u32 kBlockTurns = BLOCK_COLUMNS / 16;
constexpr u32 kColumnTiles = ceil_divide(OUT_FEATURES, BLOCK_COLUMNS);

// Partial LoRA goes on where K ends: 64 columns of T and of B a block. Where gate and up have one each, both have blocks of their own, in which the other's
// half of the weights is zero.
constexpr bool kHasLora = LORA_INPUTS > 0;
constexpr u32 kMainBlocks = ceil_divide(IN_FEATURES, kBlockK);
constexpr u32 kLoraBlocks = ceil_divide(RANK, kBlockK);     // of an input

constexpr u32 kSums = BLOCK_COLUMNS / 2;                    // of a thread

static_assert(sizeof(STORAGE) == 2 && !WEIGHT_INT8, "wgmma multiplies 16-bit numbers from shared memory");
static_assert(BLOCK_THREADS == (1 + kConsumers) * kGroupThreads, "a producer and the consumers");
static_assert(BLOCK_COLUMNS % 16 == 0 && BLOCK_COLUMNS <= 256, "of one wgmma, and pairs of n8 blocks");
static_assert(OUT_FEATURES % (EPILOGUE == kPlainEpilogue ? 8 : 16) == 0, "whole n8 blocks, whole turns");
static_assert(IN_FEATURES % 8 == 0 && RANK % 8 == 0, "rows of whole 16-byte chunks, as tensor maps want them");
static_assert(kHasLora == (RANK > 0) && LORA_INPUTS <= (kGated ? 2 : 1), "two inputs of Partial LoRA belong to gate and up");
static_assert(kInputBytes % kSwizzleBytes == 0 && kWeightBytes / 2 % kSwizzleBytes == 0, "every box begins a pattern of the swizzle");
static_assert(STAGES * kStageBytes + kSwizzleBytes == DYNAMIC_SHARED_BYTES, "the host gives the room, and as much more as alignment may take");

// Of a thread of a consumer: [n8 block][row g: columns 2t, 2t + 1; row g + 8: the same], g = lane / 4, t = lane % 4.
using WarpgroupSums = float[kSums];

// The warpgroup of a consumer, the lane's place in an n8 block.
__device__ __forceinline__ u32 consumer() {
    return threadIdx.x / kGroupThreads - 1;
}

__device__ __forceinline__ u32 lane_quad() {
    return threadIdx.x % 4;
}

// Row of the step of the lane's upper (0) or lower (1) half of the sums.
__device__ __forceinline__ u32 row_of(u32 row_tile, u32 half) {
    return row_tile * kBlockRows + consumer() * kGroupRows + threadIdx.x % kGroupThreads / kWarpLanes * 16 + threadIdx.x % kWarpLanes / 4 + half * 8;
}

// The block's tiles, row tiles first: blocks that run together share the weights, and the slices stay in L2.
template <typename Body>
__device__ __forceinline__ void for_tiles(u32 rows, Body body) {
    const u32 row_tiles = ceil_divide(rows, kBlockRows);
#pragma unroll 1
    for (u32 tile = blockIdx.x; tile < row_tiles * kColumnTiles; tile += gridDim.x)
        body(tile % row_tiles, tile / row_tiles);
}

#define WGMMA_OF(columns, type) wgmma_m64n##columns##k16_f32_##type
#define WGMMA_OF_TILE(columns, type) WGMMA_OF(columns, type)

// sums += 64 columns of K of a stage, for the warpgroup's rows; returns when they are added.
__device__ __forceinline__ void multiply_stage(WarpgroupSums& sums, u32 stage) {
    const u64 input = matrix_descriptor(stage + consumer() * kGroupRows * kRowBytes, 16, kSwizzleBytes);
    const u64 weight = matrix_descriptor(stage + kInputBytes, 16, kSwizzleBytes);
    wgmma_fence();
#pragma unroll
    for (u32 step = 0; step < kRowBytes / kStepBytes; step++)
        WGMMA_OF_TILE(BLOCK_COLUMNS, STORAGE)(sums, input + step * (kStepBytes / 16), weight + step * (kStepBytes / 16));
    wgmma_commit_group();
    wgmma_wait_group<0>();
}
