// y = input · weightᵀ for 1 to 64 rows: each byte of the weights is read from memory once.
//
//   weight [OUT_FEATURES, IN_FEATURES] row by row, in STORAGE or int8 with a scale a row. The grid is one wave: a block takes strips of 16 outputs, a grid
//   apart. Its warps take windows of 64 columns in turns (decode_window.cuh), and eight 16-byte loads of a lane are on their way at any time, also from one
//   strip to the next: 64 KB for two blocks of a multiprocessor.
//   From sm_90 on a block starts while the kernel before it ends. Weights are nobody's output: they are asked for before the wait for what that kernel writes.
//   The weights are the A operand of mma m16n8k16 and a group of eight of the input's rows its eight columns: a fragment of weights, once in registers,
//   is multiplied with each of ROW_GROUPS groups, four at most (two of integers): of more rows, blocks that are neighbours take so many each, and find
//   in L2 what the first of them has read. A row's sums take the same products in the same order whatever ROW_GROUPS is, so that a generated
//   token does not depend on how many are generated with it. Which
//   column of K stands where in a fragment is free as long as both operands agree: lane t of four has eight (int8: sixteen) neighbours of a row,
//   straight from memory, and no shared memory lies between.
//   int4 weights, and int8 ones in groups, are integers that are exact in STORAGE: a group's sum is formed of them and multiplied by the group's scale.
//   The warps' sums meet in shared memory and are added in the order of warps. Rows 8j and 8j + 8 of a strip (gate and up, halves of a rotation)
//   meet in one thread.
//   RMSNorm: the input is the residual stream in f32. It is multiplied by the gain and rounded, once a block up to eight rows (decode_input.cuh); 1 / rms, one
//   number a row, multiplies the sum. In f16 |x · gain| has to stay below 65504.
//   Partial LoRA has no part here: generated tokens are text.
//
// Grid: x = 8 x ROW_GROUPS rows, y = blocks that share the strips.
// Bounded by bytes: OUT_FEATURES x IN_FEATURES x sizeof(Weight) from memory. Where the input does not wait in shared memory, every strip reads all of it,
// rows x IN_FEATURES x sizeof(INPUT) for 16 x IN_FEATURES x sizeof(Weight) of weights: of bf16, the caches serve as much as memory does at 16 rows, four
// times as much at 64. That is slower than memory from some 32 rows on, and still half of what eight groups in launches of their own would read from memory.
//
// EPILOGUE  plain: activation(sum + bias) + residual;  gated: silu(gate) · up, half as many columns;  rope: queries rotated, keys and values appended.
#include "common/sequence_span.cuh"
#include "common/types.cuh"
#include "gemm/decode_product.cuh"
#include "gemm/linear_epilogue.cuh"
#include "gemm/rope_kv.cuh"
#include "ptx/approx.cuh"
#include "ptx/griddepcontrol.cuh"
#include "ptx/shfl.cuh"

struct Arguments {
    const INPUT* input;             // [rows, IN_FEATURES]
    const STORAGE* gain;            // [IN_FEATURES], HAS_NORM only
    const Weight* weight;           // [OUT_FEATURES, IN_FEATURES]; int4: units (int4_weights.cuh)
    const void* weight_scale;       // f32 [OUT_FEATURES], int8 only; of groups f16 [strips, groups, 8, 2]
    const u8* weight_zero;          // [strips, groups, 8, 2], WEIGHT_ZEROS only
    const i32* column_order;        // [IN_FEATURES], the input's column for each of the weights', WEIGHT_ORDER only
    const STORAGE* bias;            // [OUT_FEATURES], HAS_BIAS only
    const float* residual;          // [rows, OUT_FEATURES], HAS_RESIDUAL only
    OUTPUT* output;                 // [rows, OUT_FEATURES]; gated: [rows, OUT_FEATURES / 2]; rope: queries [rows, KV_HEADS x GROUP_SIZE, HEAD_SIZE]
    const float2* rope_table;       // [positions, HEAD_SIZE / 2], cosine and sine; this and what follows: rope only
    u8* pages;                      // of this layer
    const SequenceSpan* sequences;  // [sequence_count]
    const i32* page_table;
    i64 page_bytes;
    u32 rows;                       // 1 to 64; up to 8 x ROW_GROUPS x blocks
    u32 sequence_count;
    float epsilon;                  // HAS_NORM only
    u32 reserved;
};

static_assert(sizeof(Arguments) == ARGS_BYTES, "as the host fills it");
static_assert(EPILOGUE == kPlainEpilogue || OUT_FEATURES % 16 == 0, "eight rows and their eight partners");

constexpr u32 kBlockRows = ROW_GROUPS * kGroupRows;

static_assert(BLOCK_THREADS >= kBlockRows * 8, "a thread for each of the eight pairs of each row");

// Of all warps, for the strip's outputs (first: rows 0 to 7, second: rows 8 to 15) and the input's rows.
struct WarpSums {
    float outputs[kWarps][kStripRows][kBlockRows];
    float squares[kWarps][kBlockRows];
};

__device__ __forceinline__ float sum_of(const WarpSums& warps, u32 output, u32 row) {
    float sum = 0.0f;
#pragma unroll
    for (u32 warp = 0; warp < kWarps; warp++)
        sum += warps.outputs[warp][output][row];
    return sum;
}

__device__ __forceinline__ float inverse_rms(const WarpSums& warps, u32 row, float epsilon) {
    float squares = 0.0f;
#pragma unroll
    for (u32 warp = 0; warp < kWarps; warp++)
        squares += warps.squares[warp][row];
    return rsqrtf(squares / IN_FEATURES + epsilon);
}

__device__ __forceinline__ void store_plain(const Arguments& args, u32 row, u32 output, float value) {
    if (output >= OUT_FEATURES)
        return;
    const i64 index = (i64)row * OUT_FEATURES + output;
    value = activate<ACTIVATION>(value);
    if constexpr (HAS_RESIDUAL)
        value += args.residual[index];
    args.output[index] = from_float<OUTPUT>(value);
}

#if EPILOGUE == 2
static_assert(HEAD_SIZE % 16 == 0 && OUT_FEATURES == KV_HEADS * kHeadsOfGroup * HEAD_SIZE, "a strip lies in one head");

__device__ __forceinline__ void store_rope(const Arguments& args, u32 strip, u32 row, u32 strip_row, float first, float second) {
    const u32 head = strip * kStripRows / HEAD_SIZE, column = strip * kStripRows % HEAD_SIZE;
    // Of generated tokens, row i is that of sequence i.
    const RowPlace place = find_place((i32)row, args.sequences, args.sequence_count, args.page_table, row);
    if (is_rotated(head))
        rotate(args.rope_table[(i64)max(place.position, 0) * (HEAD_SIZE / 2) + column / 2 + strip_row], first, second);
    STORAGE* destination = head_destination(head, row, place, args.output, args.pages, args.page_bytes);
    if (destination == nullptr)
        return;
    destination[column + strip_row] = from_float<STORAGE>(first);
    destination[column + strip_row + 8] = from_float<STORAGE>(second);
}
#endif

// One of the eight pairs of a strip, of one row. place: the row's in the block.
__device__ __forceinline__ void finish(const Arguments& args, const WarpSums& warps, u32 strip, u32 row, u32 place, u32 strip_row) {
    const u32 output = strip * kStripRows + strip_row;
    float sums[2] = {sum_of(warps, strip_row, place), sum_of(warps, strip_row + 8, place)};
    const float norm = HAS_NORM ? inverse_rms(warps, place, args.epsilon) : 1.0f;
#pragma unroll
    for (u32 i = 0; i < 2; i++) {
        if (OUT_FEATURES % kStripRows != 0 && output + 8 * i >= OUT_FEATURES)
            continue;
        if constexpr (HAS_NORM)
            sums[i] *= norm;
        if constexpr (WEIGHT_INT8 && !kGrouped)
            sums[i] *= static_cast<const float*>(args.weight_scale)[output + 8 * i];
        if constexpr (HAS_BIAS)
            sums[i] += to_float(args.bias[output + 8 * i]);
    }
#if EPILOGUE == 2
    store_rope(args, strip, row, strip_row, sums[0], sums[1]);
#else
    if constexpr (EPILOGUE == kGatedEpilogue) {
        args.output[(i64)row * (OUT_FEATURES / 2) + strip * 8 + strip_row] = from_float<OUTPUT>(silu(sums[0]) * sums[1]);
    } else {
        store_plain(args, row, output, sums[0]);
        store_plain(args, row, output + 8, sums[1]);
    }
#endif
}

// The lane's sums of one group.
__device__ __forceinline__ void leave(WarpSums& warps, u32 place, const float (&sums)[4], float squares) {
    const u32 warp = threadIdx.x / kWarpLanes, lane = threadIdx.x % kWarpLanes;
#pragma unroll
    for (u32 i = 0; i < 4; i++)
        warps.outputs[warp][lane / 4 + i / 2 * 8][place + lane % 4 * 2 + i % 2] = sums[i];
    if constexpr (HAS_NORM) {
        squares += shfl_sync_bfly(squares, 1);
        squares += shfl_sync_bfly(squares, 2);
        if (lane % 4 == 0)
            warps.squares[warp][place + lane / 4] = squares;
    }
}

// Before sm_80 a step is two instructions, whose operands take some registers more.
constexpr u32 kResidentBlocks = ROW_GROUPS == 4 && __CUDA_ARCH__ < 800 ? 1 : BLOCKS_PER_SM;

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, kResidentBlocks) linear_decode(const __grid_constant__ Arguments args) {
    __shared__ WarpSums warps[2];
    griddepcontrol_launch_dependents();
    const u32 first_row = ROW_GROUPS > 1 ? blockIdx.x * kBlockRows : 0;
    DecodeProduct product({args.weight, args.weight_scale, args.weight_zero}, {args.input, args.gain, args.column_order, first_row, args.rows});
    product.request_first(blockIdx.y);
    griddepcontrol_wait();
    product.begin();
    const u32 place = threadIdx.x / 8, row = first_row + place;
    u32 turn = 0;
    for (u32 strip = blockIdx.y; strip < kStrips; strip += gridDim.y) {
        DecodeSums sums = {};
        product.multiply(strip, strip + gridDim.y, sums);
#pragma unroll
        for (u32 group = 0; group < ROW_GROUPS; group++)
            leave(warps[turn], group * kGroupRows, sums.outputs[group], sums.squares[group]);
        // A strip's sums are read until the barrier of the next, and their place is written after it.
        __syncthreads();
        if (place < kBlockRows && row < args.rows)
            finish(args, warps[turn], strip, row, place, threadIdx.x % 8);
        turn ^= 1;
    }
}
