// The input's rows as the B operand of a warp's windows: eight columns a vector, four registers of pairs, of row g of a group of eight rows.
//
// With a norm the input is the residual stream in f32. It is multiplied by the gain and rounded; its squares are summed on the way: those of a lane's columns
// of a window in their order, then windows in the order of turns, then quads, then warps. STAGED_INPUT: that is done once for all strips of a block, and
// pairs wait in shared memory. Each warp has its own windows there, and no barrier is needed. Otherwise every strip does it anew, from the caches.
#pragma once
#include "gemm/decode_window.cuh"
#include "ptx/shared_memory.cuh"
#include "ptx/shfl.cuh"
#include "ptx/st.cuh"

static_assert(!HAS_NORM || sizeof(INPUT) == 4, "what is normed is the residual stream");
static_assert(!STAGED_INPUT || (HAS_NORM && ROW_GROUPS == 1 && !PLAIN_ARITHMETIC), "eight rows at most wait in shared memory");

struct DecodeInput {
    const INPUT* input;         // [rows, IN_FEATURES]
    const STORAGE* gain;        // [IN_FEATURES], HAS_NORM only
    u32 first_row;              // of the block
    u32 rows;
};

#if !PLAIN_ARITHMETIC
__device__ __forceinline__ u32 word_of(const uint4& chunk, u32 index) {
    return index == 0 ? chunk.x : index == 1 ? chunk.y : index == 2 ? chunk.z : chunk.w;
}

// Eight columns of a row as they are in memory.
struct RawVector {
    uint4 values;
#if HAS_NORM
    uint4 rest;                 // in f32 they take twice the room
    uint4 gain;
#endif
};

__device__ __forceinline__ RawVector read_vector(const DecodeInput& source, u32 row, u32 column, bool is_there) {
    RawVector raw = {};
    if (!is_there)
        return raw;
    const INPUT* const place = source.input + (i64)row * IN_FEATURES + column;
    raw.values = ld_global_nc_v4(place);
#if HAS_NORM
    raw.rest = ld_global_nc_v4(place + 4);
    raw.gain = ld_global_nc_v4(source.gain + column);
#endif
    return raw;
}

__device__ __forceinline__ uint4 to_pairs(const RawVector& raw, float& squares) {
#if HAS_NORM
    u32 pairs[4];
#pragma unroll
    for (u32 i = 0; i < 4; i++) {
        const uint4& source = i < 2 ? raw.values : raw.rest;
        const float first = __uint_as_float(word_of(source, i % 2 * 2)), second = __uint_as_float(word_of(source, i % 2 * 2 + 1));
        const u32 gain = word_of(raw.gain, i);
        squares = fmaf(first, first, squares);
        squares = fmaf(second, second, squares);
        pairs[i] = pack_pair<STORAGE>(first * lower_of<STORAGE>(gain), second * upper_of<STORAGE>(gain));
    }
    return {pairs[0], pairs[1], pairs[2], pairs[3]};
#else
    return raw.values;
#endif
}

// Of the lane: the rows' squares as far as it has seen them.
class InputReader {
public:
    __device__ __forceinline__ explicit InputReader(const DecodeInput& source)
        : source(source) {}

    // What the block before this one in the stream wrote may be read from now on.
    __device__ __forceinline__ void begin() {
#if STAGED_INPUT
        for (u32 row = 0; row < source.rows; row++)
            stage(row);
        __syncwarp();
#endif
    }

    __device__ __forceinline__ void begin_strip() {
#if !STAGED_INPUT
#pragma unroll
        for (u32 group = 0; group < ROW_GROUPS; group++)
            squares[group] = 0.0f;
#endif
    }

    // Vectors of a chunk of the warp's window, by turns.
    __device__ __forceinline__ void read(uint4 (&pairs)[kVectors], u32 turn, u32 chunk, u32 group) {
        const u32 window = turn * kWarps + warp_index();
#pragma unroll
        for (u32 i = 0; i < kVectors; i++) {
            const u32 vector = chunk + i;
#if STAGED_INPUT
            const bool is_there = lane_row() < source.rows && (kWholeTurns || window < kWindows);
            pairs[i] = is_there ? ld_shared_v4(place(window, vector, lane_row(), lane_quad())) : uint4{0, 0, 0, 0};
#else
            const u32 column = window * kWindowColumns + vector_column(vector, lane_quad());
            const u32 row = source.first_row + group * kGroupRows + lane_row();
            if (vector == 0)
                partial[group] = 0.0f;
            pairs[i] = to_pairs(read_vector(source, row, column, row < source.rows && (kWholeTurns || column < IN_FEATURES)), partial[group]);
            if (HAS_NORM && vector == 1)
                squares[group] += partial[group];
#endif
        }
    }

    __device__ __forceinline__ float squares_of(u32 group) const { return squares[group]; }

private:
    DecodeInput source;
    float squares[ROW_GROUPS] = {};
    float partial[ROW_GROUPS];

#if STAGED_INPUT
    // [window][vector][row][quad] of 16 bytes: a vector of eight rows is read without conflicts.
    __device__ __forceinline__ u32 place(u32 window, u32 vector, u32 row, u32 quad) const {
        return cvta_to_shared(dynamic_shared()) + (((window * 2 + vector) * source.rows + row) * 4 + quad) * 16;
    }

    // Eight of the warp's windows at a time, a lane for each quad of each.
    __device__ __forceinline__ void stage(u32 row) {
        float sum = 0.0f;
#pragma unroll
        for (u32 first = 0; first < kTurns; first += kGroupRows) {
            const u32 window = (first + lane_row()) * kWarps + warp_index();
            const bool has_window = (kWholeTurns && kTurns % kGroupRows == 0) || window < kWindows;
            RawVector raw[2];
#pragma unroll
            for (u32 vector = 0; vector < 2; vector++) {
                const u32 column = window * kWindowColumns + vector_column(vector, lane_quad());
                raw[vector] = read_vector(source, row, column, has_window && (kWholeTurns || column < IN_FEATURES));
            }
            float of_window = 0.0f;
#pragma unroll
            for (u32 vector = 0; vector < 2; vector++) {
                const uint4 pairs = to_pairs(raw[vector], of_window);
                if (has_window)
                    st_shared_v4(place(window, vector, row, lane_quad()), pairs);
            }
#pragma unroll
            for (u32 turn = 0; turn < kGroupRows; turn++)
                sum += shfl_sync_idx(of_window, turn * 4 + lane_quad());
        }
        if (lane_row() == row)
            squares[0] = sum;
    }
#endif
};
#endif
