// A warp's part of a strip of 16 outputs times up to ROW_GROUPS x 8 rows: windows of 64 columns, weights from memory to registers to tensor cores.
#pragma once
#include "common/types.cuh"
#include "gemm/int8_weights.cuh"
#include "gemm/multiply_step.cuh"
#include "ptx/createpolicy.cuh"
#include "ptx/ld.cuh"

#if WEIGHT_INT8
using Weight = i8;
#else
using Weight = STORAGE;
#endif

constexpr u32 kStripRows = 16, kGroupRows = 8;
constexpr u32 kWindowColumns = 64;
constexpr u32 kWindows = (IN_FEATURES + kWindowColumns - 1) / kWindowColumns;
constexpr bool kWholeWindows = IN_FEATURES % kWindowColumns == 0;

static_assert(PLAIN_ARITHMETIC == (sizeof(STORAGE) == 4), "tensor cores multiply 16-bit numbers");
static_assert(ROW_GROUPS == 1 || ROW_GROUPS == 2 || ROW_GROUPS == 4, "8, 16 or 32 rows of a block");
static_assert(IN_FEATURES % (WEIGHT_INT8 ? 16 : 8) == 0, "rows of whole 16-byte chunks");
static_assert(!HAS_NORM || sizeof(INPUT) == 4, "what is normed is the residual stream");

// Of the lane: four sums of each group of rows, and the squares of its part of row lane / 4 of each group.
struct DecodeSums {
    float outputs[ROW_GROUPS][4];
    float squares[ROW_GROUPS];
};

struct DecodeSource {
    const INPUT* input;         // [rows, IN_FEATURES]
    const STORAGE* gain;        // [IN_FEATURES]
    const Weight* weight;       // [OUT_FEATURES, IN_FEATURES]
    u32 first_row;              // of the block
    u32 rows;
    u32 first_output;           // of the strip
};

// Outputs that do not exist read the last row; their sums are not stored.
__device__ __forceinline__ u32 weight_row(const DecodeSource& source, u32 strip_row) {
    const u32 row = source.first_output + strip_row;
    return OUT_FEATURES % kStripRows == 0 || row < OUT_FEATURES ? row : OUT_FEATURES - 1;
}

#if PLAIN_ARITHMETIC
// By plain multiplication and addition, a witness: the lane's four sums, element by element.
__device__ __forceinline__ float decode_weight(const DecodeSource& source, u32 strip_row, u32 column) {
    const Weight* row = source.weight + (i64)weight_row(source, strip_row) * IN_FEATURES;
    if constexpr (WEIGHT_INT8)
        return (float)row[column / 16 * 16 + int8_place_of(column % 16)];
    else
        return (float)row[column];
}

template <u32 warps>
__device__ __forceinline__ void multiply_windows(const DecodeSource& source, u32 warp, DecodeSums& sums) {
    const u32 lane = threadIdx.x % kWarpLanes;
    for (u32 window = warp; window < kWindows; window += warps)
        for (u32 column = window * kWindowColumns; column < (window + 1) * kWindowColumns && column < IN_FEATURES; column++) {
            const float gain = HAS_NORM ? to_float(source.gain[column]) : 1.0f;
            const float weights[2] = {decode_weight(source, lane / 4, column), decode_weight(source, lane / 4 + 8, column)};
#pragma unroll
            for (u32 group = 0; group < ROW_GROUPS; group++) {
                float values[2];
                for (u32 i = 0; i < 2; i++) {
                    const u32 row = source.first_row + group * kGroupRows + lane % 4 * 2 + i;
                    values[i] = row < source.rows ? to_float(source.input[(i64)row * IN_FEATURES + column]) * gain : 0.0f;
                }
                for (u32 i = 0; i < 4; i++)
                    sums.outputs[group][i] = fmaf(values[i % 2], weights[i / 2], sums.outputs[group][i]);
                const u32 row = source.first_row + group * kGroupRows + lane / 4;
                if (HAS_NORM && column % 4 == lane % 4 && row < source.rows) {
                    const float value = to_float(source.input[(i64)row * IN_FEATURES + column]);
                    sums.squares[group] = fmaf(value, value, sums.squares[group]);
                }
            }
        }
}
#else

// 16 bytes of weights: eight neighbours of a row, or sixteen of int8. A window is two of them (one) for each of rows g and g + 8.
constexpr u32 kWeightLoads = WEIGHT_INT8 ? 1 : 2;

struct Window {
    uint4 weight[2][kWeightLoads];      // rows g, g + 8
    uint4 input[2];                     // row g of one group of the input, eight columns each
#if HAS_NORM
    uint4 input_rest[2];                // in f32 they take twice the room
    uint4 gain[2];
#endif
};

class WindowReader {
public:
    __device__ __forceinline__ WindowReader(const DecodeSource& source)
        : source(source) {
        const u32 row = threadIdx.x % kWarpLanes / 4, quad = threadIdx.x % 4;
        first_column = quad * (WEIGHT_INT8 ? 16 : 8);
        upper = source.weight + (i64)weight_row(source, row) * IN_FEATURES + first_column;
        lower = source.weight + (i64)weight_row(source, row + 8) * IN_FEATURES + first_column;
        group_row = source.first_row + row;
        input = source.input + (i64)group_row * IN_FEATURES + first_column;
#if __CUDA_ARCH__ >= 800
        policy = createpolicy_evict_first();
#endif
    }

    __device__ __forceinline__ void read_weight(Window& window, u32 index) const {
        const u32 column = index * kWindowColumns;
#pragma unroll
        for (u32 load = 0; load < kWeightLoads; load++) {
            const bool is_inside = kWholeWindows || column + load * 32 + first_column < IN_FEATURES;
            window.weight[0][load] = is_inside ? stream(upper + column + load * 32) : uint4{0, 0, 0, 0};
            window.weight[1][load] = is_inside ? stream(lower + column + load * 32) : uint4{0, 0, 0, 0};
        }
    }

    __device__ __forceinline__ void read_input(Window& window, u32 index, u32 group) const {
        const bool has_row = group * kGroupRows + group_row < source.rows;
        const INPUT* rows = input + (i64)group * kGroupRows * IN_FEATURES;
#pragma unroll
        for (u32 chunk = 0; chunk < 2; chunk++) {
            const u32 offset = index * kWindowColumns + chunk * (WEIGHT_INT8 ? 8 : 32);
            const bool is_inside = kWholeWindows || offset + first_column < IN_FEATURES;
            const uint4 zero = {0, 0, 0, 0};
            window.input[chunk] = is_inside && has_row ? ld_global_nc_v4(rows + offset) : zero;
#if HAS_NORM
            window.input_rest[chunk] = is_inside && has_row ? ld_global_nc_v4(rows + offset + 4) : zero;
#endif
        }
    }

    // Of all groups.
    __device__ __forceinline__ void read_gain(Window& window, u32 index) const {
#if HAS_NORM
#pragma unroll
        for (u32 chunk = 0; chunk < 2; chunk++) {
            const u32 offset = index * kWindowColumns + chunk * (WEIGHT_INT8 ? 8 : 32);
            const bool is_inside = kWholeWindows || offset + first_column < IN_FEATURES;
            window.gain[chunk] = is_inside ? ld_global_nc_v4(source.gain + offset + first_column) : uint4{0, 0, 0, 0};
        }
#endif
    }

private:
    DecodeSource source;
    const Weight* upper;
    const Weight* lower;
    const INPUT* input;
    u32 first_column;
    u32 group_row;
#if __CUDA_ARCH__ >= 800
    u64 policy;

    __device__ __forceinline__ uint4 stream(const Weight* chunk) const { return ld_global_nc_no_allocate_v4(chunk, policy); }
#else
    __device__ __forceinline__ uint4 stream(const Weight* chunk) const { return ld_global_nc_no_allocate_v4(chunk); }
#endif
};

__device__ __forceinline__ u32 word_of(const uint4& chunk, u32 index) {
    return index == 0 ? chunk.x : index == 1 ? chunk.y : index == 2 ? chunk.z : chunk.w;
}

// Eight columns of the input's row as four pairs of STORAGE.
__device__ __forceinline__ void to_pairs(u32 (&pairs)[4], const Window& window, u32 chunk, float& squares) {
#pragma unroll
    for (u32 i = 0; i < 4; i++) {
#if HAS_NORM
        const uint4& source = i < 2 ? window.input[chunk] : window.input_rest[chunk];
        const float first = __uint_as_float(word_of(source, i % 2 * 2)), second = __uint_as_float(word_of(source, i % 2 * 2 + 1));
        const u32 gain = word_of(window.gain[chunk], i);
        squares = fmaf(first, first, squares);
        squares = fmaf(second, second, squares);
        pairs[i] = pack_pair<STORAGE>(first * lower_of<STORAGE>(gain), second * upper_of<STORAGE>(gain));
#else
        pairs[i] = word_of(window.input[chunk], i);
#endif
    }
}

__device__ __forceinline__ void multiply_window(const Window& window, float (&sums)[4], float& squares) {
    u32 pairs[2][4];
    to_pairs(pairs[0], window, 0, squares);
    to_pairs(pairs[1], window, 1, squares);
#pragma unroll
    for (u32 step = 0; step < 4; step++) {
        u32 weight[4];
        if constexpr (WEIGHT_INT8) {
            widen_int8<STORAGE>(word_of(window.weight[0][0], step), weight[0], weight[2]);
            widen_int8<STORAGE>(word_of(window.weight[1][0], step), weight[1], weight[3]);
            multiply_step<STORAGE>(sums, weight, pairs[0][step], pairs[1][step]);
        } else {
            const u32 load = step / 2, word = step % 2 * 2;
            weight[0] = word_of(window.weight[0][load], word);
            weight[1] = word_of(window.weight[1][load], word);
            weight[2] = word_of(window.weight[0][load], word + 1);
            weight[3] = word_of(window.weight[1][load], word + 1);
            multiply_step<STORAGE>(sums, weight, pairs[load][word], pairs[load][word + 1]);
        }
    }
}

// The windows of a warp are warps apart. A batch is on its way while the one before it is multiplied. The input of a single group comes with the weights;
// of several, which have no room beside them, it is read when it is multiplied: it lies in the caches, where all blocks read it.
constexpr bool kInputComesAhead = ROW_GROUPS == 1;

template <u32 warps>
__device__ __forceinline__ void read_batch(Window (&batch)[BATCH], const WindowReader& reader, u32 first) {
#pragma unroll
    for (u32 i = 0; i < BATCH; i++)
        if (first + i * warps < kWindows)
            reader.read_weight(batch[i], first + i * warps);
    if constexpr (kInputComesAhead) {
#pragma unroll
        for (u32 i = 0; i < BATCH; i++)
            if (first + i * warps < kWindows) {
                reader.read_input(batch[i], first + i * warps, 0);
                reader.read_gain(batch[i], first + i * warps);
            }
    }
}

// Each group's sums take the same products in the same order, whatever other groups there are: what a row gives does not depend on its neighbours.
__device__ __forceinline__ void multiply_groups(Window& window, const WindowReader& reader, u32 index, DecodeSums& sums) {
    if constexpr (!kInputComesAhead)
        reader.read_gain(window, index);
#pragma unroll
    for (u32 group = 0; group < ROW_GROUPS; group++) {
        if constexpr (!kInputComesAhead)
            reader.read_input(window, index, group);
        multiply_window(window, sums.outputs[group], sums.squares[group]);
    }
}

template <u32 warps>
__device__ __forceinline__ void multiply_windows(const DecodeSource& source, u32 warp, DecodeSums& sums) {
    const WindowReader reader(source);
    Window batch[BATCH];
    read_batch<warps>(batch, reader, warp);
    for (u32 first = warp; first < kWindows; first += BATCH * warps) {
        Window next[BATCH];
        read_batch<warps>(next, reader, first + BATCH * warps);
#pragma unroll
        for (u32 i = 0; i < BATCH; i++) {
            if (first + i * warps < kWindows)
                multiply_groups(batch[i], reader, first + i * warps, sums);
            batch[i] = next[i];
        }
    }
}
#endif
