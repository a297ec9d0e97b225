// The products of training: c = scale · a b + bias + addend, or c += scale · a b. FORM 0 is a linear, x Wᵀ; 1 its gradient by the input, g W; 2 by the weight, gᵀ x.
// Activations and gradients are f32, as are trained weights: they are rounded to OPERAND on the way to shared memory (bf16: tensor cores, f32: multiply-adds), and no
// copy of a trained weight is kept. Sums are f32. Each element has one writer and one order of summation.
// Where there is visual_row, only rows (FORM 2: terms) for which it is not negative count: tiles and steps without one are left out, which is Partial LoRA's saving.
// A block makes TILE x TILE elements; while a step is multiplied, the next one is on its way in registers. Blocks of a column of tiles follow each other, so that
// weights are read from memory once for all rows. Bounded by arithmetic.
#include "common/math.cuh"
#include "common/packed.cuh"
#include "ptx/vote.cuh"
#include "training/fragment_product.cuh"

constexpr u32 kTile = TILE;
constexpr u32 kStep = sizeof(OPERAND) == 2 ? 32 : 16;
constexpr bool kATransposed = FORM == 2, kBTransposed = FORM != 0;
constexpr u32 kWarpRows = kTile / 2, kWarpColumns = 32;
constexpr u32 kThreads = 2 * (kTile / kWarpColumns) * kWarpLanes;
constexpr u32 kFragmentRows = kWarpRows / 16, kFragmentColumns = kWarpColumns / 8;

struct Args {
    const float* a;         // [rows, depth]; FORM 2: [depth, rows]; 16-byte aligned
    const RIGHT* b;         // FORM 0: [columns, depth], else [depth, columns]; aligned to four elements
    const float* bias;      // [columns]; null for none
    const float* addend;    // [rows, columns]; null for none
    const i32* visual_row;  // [rows]; FORM 2: [depth]; null for all
    float* c;               // [rows, columns]
    u32 rows, columns, depth;
    float scale;
    u32 accumulates;        // c is added to
    u32 unused;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");
static_assert(FORM <= 2 && (kTile == 64 || kTile == 128), "three products, two tiles");
static_assert(BLOCK_THREADS == kThreads, "a warp for each half of the rows and 32 columns");
static_assert(kStep <= kWarpLanes, "a vote sees a step");

// A part of a matrix on its way: four elements of a row for each thread and turn.
template <typename T, u32 kRows, u32 kColumns>
struct Piece {
    static constexpr u32 kTurns = kRows * kColumns / 4 / kThreads, kStride = padded<OPERAND>(kColumns), kElements = kRows * kStride;
    static_assert(kRows * kColumns % (4 * kThreads) == 0, "every thread has as many");

    float values[kTurns][4];

    // chosen: [rows], or null.
    __device__ __forceinline__ void load(const T* matrix, u32 rows, u32 columns, u32 first_row, u32 first_column, const i32* chosen) {
#pragma unroll
        for (u32 turn = 0; turn < kTurns; turn++) {
            const u32 index = threadIdx.x + turn * kThreads;
            const u32 row = first_row + index / (kColumns / 4), column = first_column + index % (kColumns / 4) * 4;
            values[turn][0] = values[turn][1] = values[turn][2] = values[turn][3] = 0.0f;
            if (row >= rows || column >= columns || (chosen != nullptr && chosen[row] < 0))
                continue;
            const T* place = matrix + (u64)row * columns + column;
            if (columns % 4 == 0) {
                load4(values[turn], place);
            } else {
#pragma unroll
                for (u32 i = 0; i < 4; i++)
                    if (column + i < columns)
                        values[turn][i] = to_float(place[i]);
            }
        }
    }

    __device__ __forceinline__ void store(OPERAND* tile) const {
#pragma unroll
        for (u32 turn = 0; turn < kTurns; turn++) {
            const u32 index = threadIdx.x + turn * kThreads;
            store_four(tile + index / (kColumns / 4) * kStride + index % (kColumns / 4) * 4, values[turn]);
        }
    }
};

using LeftPiece = Piece<float, kATransposed ? kStep : kTile, kATransposed ? kTile : kStep>;
using RightPiece = Piece<RIGHT, kBTransposed ? kStep : kTile, kBTransposed ? kTile : kStep>;

// Whether one of so many entries from `first` on is not negative. The same for all threads of a block.
__device__ __forceinline__ bool has_visual(const i32* visual_row, u32 first, u32 count, u32 end) {
    bool found = false;
    for (u32 i = 0; i < count; i += kWarpLanes) {
        const u32 row = first + i + threadIdx.x % kWarpLanes;
        found |= vote_sync_any(row < first + count && row < end && visual_row[row < end ? row : 0] >= 0);
    }
    return found;
}

// The first step from `depth` on that has terms.
__device__ __forceinline__ u32 next_step(const Args& args, u32 depth) {
    if constexpr (FORM == 2)
        if (args.visual_row != nullptr)
            while (depth < args.depth && !has_visual(args.visual_row, depth, kStep, args.depth))
                depth += kStep;
    return depth;
}

__device__ __forceinline__ void load_step(const Args& args, LeftPiece& left, RightPiece& right, u32 row, u32 column, u32 depth) {
    if constexpr (kATransposed)
        left.load(args.a, args.depth, args.rows, depth, row, args.visual_row);
    else
        left.load(args.a, args.rows, args.depth, row, depth, args.visual_row);
    if constexpr (kBTransposed)
        right.load(args.b, args.depth, args.columns, depth, column, nullptr);
    else
        right.load(args.b, args.columns, args.depth, column, depth, nullptr);
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) matrix_product(const __grid_constant__ Args args) {
    __shared__ __align__(16) OPERAND left_tiles[2][LeftPiece::kElements];
    __shared__ __align__(16) OPERAND right_tiles[2][RightPiece::kElements];
    const u32 row = blockIdx.x * kTile, column = blockIdx.y * kTile;
    const u32 warp = threadIdx.x / kWarpLanes, lane = threadIdx.x % kWarpLanes;
    const u32 warp_row = warp % 2 * kWarpRows, warp_column = warp / 2 * kWarpColumns;

    float sums[kFragmentRows][kFragmentColumns][4] = {};
    const bool has_rows = FORM == 2 || args.visual_row == nullptr || has_visual(args.visual_row, row, kTile, args.rows);
    if (!has_rows && args.accumulates)
        return;
    LeftPiece left;
    RightPiece right;
    u32 depth = has_rows ? next_step(args, 0) : args.depth, stage = 0;
    if (depth < args.depth)
        load_step(args, left, right, row, column, depth);
    while (depth < args.depth) {
        left.store(left_tiles[stage]);
        right.store(right_tiles[stage]);
        __syncthreads();
        depth = next_step(args, depth + kStep);
        if (depth < args.depth)
            load_step(args, left, right, row, column, depth);
        multiply_add<kATransposed, kBTransposed, kStep>(
            sums, left_tiles[stage] + (kATransposed ? warp_row : warp_row * LeftPiece::kStride), LeftPiece::kStride,
            right_tiles[stage] + (kBTransposed ? warp_column : warp_column * RightPiece::kStride), RightPiece::kStride);
        stage ^= 1;
    }

#pragma unroll
    for (u32 m = 0; m < kFragmentRows; m++)
#pragma unroll
        for (u32 half = 0; half < 2; half++) {
            const u32 c_row = row + warp_row + 16 * m + 8 * half + lane / 4;
            if (c_row >= args.rows)
                continue;
            if (args.accumulates && FORM != 2 && args.visual_row != nullptr && args.visual_row[c_row] < 0)
                continue;
#pragma unroll
            for (u32 n = 0; n < kFragmentColumns; n++)
#pragma unroll
                for (u32 i = 0; i < 2; i++) {
                    const u32 c_column = column + warp_column + 8 * n + lane % 4 * 2 + i;
                    if (c_column >= args.columns)
                        continue;
                    const u64 place = (u64)c_row * args.columns + c_column;
                    float value = args.scale * sums[m][n][2 * half + i];
                    if (args.bias != nullptr)
                        value += args.bias[c_column];
                    if (args.addend != nullptr)
                        value += args.addend[place];
                    args.c[place] = args.accumulates ? args.c[place] + value : value;
                }
        }
}
