// y = input · weightᵀ for 1 to 8 rows: each byte of the weights is read once, and nothing else takes time.
//
//   weight [OUT_FEATURES, IN_FEATURES] row by row, in STORAGE or int8 with a scale a row. A block has a strip of 16 outputs. Its warps take windows of
//   64 columns in turns, so that a block reads runs of 512 or 1024 bytes of each of 16 rows; a lane has four 16-byte loads a window in flight (two with
//   int8), BATCH windows together, and the next batch is asked for before this one is multiplied.
//   The weights are the A operand of mma m16n8k16 and the input's rows its eight columns, so that time does not depend on the number of rows. Which
//   column of K stands where in a fragment is free as long as both operands agree: lane t of four has eight (int8: sixteen) neighbours of a row,
//   straight from memory, and no shared memory lies between. An input's element is used by one warp of a block, once.
//   The warps' sums meet in shared memory and are added in the order of warps. Rows 8j and 8j + 8 of a strip (gate and up, halves of a rotation)
//   meet in one thread.
//   RMSNorm: the input is the residual stream in f32. It is multiplied by the gain and rounded; 1 / rms, one number a row, multiplies the sum.
//   In f16 |x · gain| has to stay below 65504.
//   Partial LoRA has no part here: generated tokens are text.
//
// Bounded by bytes: OUT_FEATURES x IN_FEATURES x sizeof(Weight).
//
// EPILOGUE  plain: activation(sum + bias) + residual;  gated: silu(gate) · up, half as many columns;  rope: queries rotated, keys and values appended.
#include "common/sequence_span.cuh"
#include "common/types.cuh"
#include "gemm/decode_product.cuh"
#include "gemm/linear_epilogue.cuh"
#include "gemm/rope_kv.cuh"
#include "ptx/approx.cuh"
#include "ptx/shfl.cuh"

struct Arguments {
    const INPUT* input;             // [rows, IN_FEATURES]
    const STORAGE* gain;            // [IN_FEATURES], HAS_NORM only
    const Weight* weight;           // [OUT_FEATURES, IN_FEATURES]
    const float* weight_scale;      // [OUT_FEATURES], int8 only
    const STORAGE* bias;            // [OUT_FEATURES], HAS_BIAS only
    const float* residual;          // [rows, OUT_FEATURES], HAS_RESIDUAL only
    OUTPUT* output;                 // [rows, OUT_FEATURES]; gated: [rows, OUT_FEATURES / 2]; rope: queries [rows, KV_HEADS x GROUP_SIZE, HEAD_SIZE]
    const float2* rope_table;       // [positions, HEAD_SIZE / 2], cosine and sine; this and what follows: rope only
    u8* pages;                      // of this layer
    const SequenceSpan* sequences;  // [sequence_count]
    const i32* page_table;
    i64 page_bytes;
    u32 rows;                       // 1 to 8
    u32 sequence_count;
    float epsilon;                  // HAS_NORM only
    u32 reserved;
};

static_assert(sizeof(Arguments) == ARGS_BYTES, "as the host fills it");
static_assert(EPILOGUE == kPlainEpilogue || OUT_FEATURES % 16 == 0, "eight rows and their eight partners");

constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;

// Of all warps, for the strip's outputs (first: rows 0 to 7, second: rows 8 to 15) and the input's rows.
struct WarpSums {
    float outputs[kWarps][kStripRows][kDecodeRows];
    float squares[kWarps][kDecodeRows];
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

__device__ __forceinline__ void store_rope(const Arguments& args, u32 row, u32 strip_row, float first, float second) {
    const u32 head = blockIdx.x * kStripRows / HEAD_SIZE, column = blockIdx.x * kStripRows % HEAD_SIZE;
    const RowPlace place = find_place((i32)row, args.sequences, args.sequence_count, args.page_table);
    if (is_rotated(head))
        rotate(args.rope_table[(i64)max(place.position, 0) * (HEAD_SIZE / 2) + column / 2 + strip_row], first, second);
    STORAGE* destination = head_destination(head, row, place, args.output, args.pages, args.page_bytes);
    if (destination == nullptr)
        return;
    destination[column + strip_row] = from_float<STORAGE>(first);
    destination[column + strip_row + 8] = from_float<STORAGE>(second);
}
#endif

// One of the eight pairs of a strip, of one row.
__device__ __forceinline__ void finish(const Arguments& args, const WarpSums& warps, u32 row, u32 strip_row) {
    const u32 output = blockIdx.x * kStripRows + strip_row;
    float sums[2] = {sum_of(warps, strip_row, row), sum_of(warps, strip_row + 8, row)};
    const float norm = HAS_NORM ? inverse_rms(warps, row, args.epsilon) : 1.0f;
#pragma unroll
    for (u32 i = 0; i < 2; i++) {
        if (OUT_FEATURES % kStripRows != 0 && output + 8 * i >= OUT_FEATURES)
            continue;
        if constexpr (HAS_NORM)
            sums[i] *= norm;
        if constexpr (WEIGHT_INT8)
            sums[i] *= args.weight_scale[output + 8 * i];
        if constexpr (HAS_BIAS)
            sums[i] += to_float(args.bias[output + 8 * i]);
    }
#if EPILOGUE == 2
    store_rope(args, row, strip_row, sums[0], sums[1]);
#else
    if constexpr (EPILOGUE == kGatedEpilogue) {
        args.output[(i64)row * (OUT_FEATURES / 2) + blockIdx.x * 8 + strip_row] = from_float<OUTPUT>(silu(sums[0]) * sums[1]);
    } else {
        store_plain(args, row, output, sums[0]);
        store_plain(args, row, output + 8, sums[1]);
    }
#endif
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, BLOCKS_PER_SM) linear_decode(const __grid_constant__ Arguments args) {
    __shared__ WarpSums warps;
    const u32 warp = threadIdx.x / kWarpLanes, lane = threadIdx.x % kWarpLanes;
    const DecodeSource source = {args.input, args.gain, args.weight, args.rows, blockIdx.x * kStripRows};
    float sums[4] = {};
    float squares = 0.0f;
    multiply_windows<kWarps>(source, warp, sums, squares);
#pragma unroll
    for (u32 i = 0; i < 4; i++)
        warps.outputs[warp][lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2] = sums[i];
    if constexpr (HAS_NORM) {
        squares += shfl_sync_bfly(squares, 1);
        squares += shfl_sync_bfly(squares, 2);
        if (lane % 4 == 0)
            warps.squares[warp][lane / 4] = squares;
    }
    __syncthreads();
    if (threadIdx.x < args.rows * 8)
        finish(args, warps, threadIdx.x / 8, threadIdx.x % 8);
}
