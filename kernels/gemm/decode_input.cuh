// The input's rows as the B operand of a warp's windows: eight columns a vector, four registers of pairs, of row g of a group of eight rows.
//
// With a norm the input is the residual stream in f32. It is multiplied by the gain and rounded; its squares are summed on the way: those of a lane's columns
// of a window in their order, then windows in the order of turns, then quads, then warps. STAGED_INPUT: that is done once for all strips of a block, and
// pairs wait in shared memory, which has room for STAGED_INPUT rows. Each warp has its own windows there, and no barrier is needed. Otherwise every strip does it
// anew, from the caches.
#pragma once
#include "gemm/decode_window.cuh"
#include "ptx/shared_memory.cuh"
#include "ptx/shfl.cuh"
#include "ptx/st.cuh"

static_assert(!HAS_NORM || sizeof(INPUT) == 4, "what is normed is the residual stream");
static_assert(STAGED_INPUT <= kGroupRows && (!STAGED_INPUT || (HAS_NORM && ROW_GROUPS == 1 && !PLAIN_ARITHMETIC)), "eight rows at most wait in shared memory");

struct DecodeInput {
    const INPUT* input;         // [rows, IN_FEATURES]
    const STORAGE* gain;        // [IN_FEATURES], HAS_NORM only
    const i32* order;           // [IN_FEATURES], the input's column for each of the weights', WEIGHT_ORDER only
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

// ptxas moves loads of the read-only path before the wait for the kernel that writes what they read. Launches of several groups do not overlap.
__device__ __forceinline__ uint4 load(const INPUT* chunk) {
    if constexpr (ROW_GROUPS == 1)
        return ld_global_v4(chunk);
    else
        return ld_global_nc_v4(chunk);
}

#if WEIGHT_ORDER
__device__ __forceinline__ u32 pair_at(const STORAGE* row, u32 first, u32 second) {
    return (u32)row[second].bits << 16 | row[first].bits;
}

// Element by element: the weights' neighbours are not the input's.
__device__ __forceinline__ RawVector read_vector(const DecodeInput& source, const INPUT* values, u32 column, bool is_there) {
    RawVector raw = {};
    if (!is_there)
        return raw;
    const uint4 first = ld_global_nc_v4(source.order + column), second = ld_global_nc_v4(source.order + column + 4);
#if HAS_NORM
    raw.values = {__float_as_uint(values[first.x]), __float_as_uint(values[first.y]), __float_as_uint(values[first.z]), __float_as_uint(values[first.w])};
    raw.rest = {__float_as_uint(values[second.x]), __float_as_uint(values[second.y]), __float_as_uint(values[second.z]), __float_as_uint(values[second.w])};
    const STORAGE* const pairs = source.gain;
    uint4& words = raw.gain;
#else
    const STORAGE* const pairs = values;
    uint4& words = raw.values;
#endif
    words = {pair_at(pairs, first.x, first.y), pair_at(pairs, first.z, first.w), pair_at(pairs, second.x, second.y), pair_at(pairs, second.z, second.w)};
    return raw;
}
#else
__device__ __forceinline__ RawVector read_vector(const DecodeInput& source, const INPUT* row, u32 column, bool is_there) {
    RawVector raw = {};
    if (!is_there)
        return raw;
    raw.values = load(row + column);
#if HAS_NORM
    raw.rest = load(row + column + 4);
    raw.gain = ld_global_nc_v4(source.gain + column);
#endif
    return raw;
}
#endif

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
        : source(source),
          row(source.input + (i64)(source.first_row + lane_row()) * IN_FEATURES),
          stage(cvta_to_shared(dynamic_shared()) + place(warp_index(), 0, lane_row(), lane_quad())) {}

    // What the block before this one in the stream wrote may be read from now on.
    __device__ __forceinline__ void begin() {
#if STAGED_INPUT
        for (u32 row = 0; row < source.rows; row++)
            put_row(row);
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
            pairs[i] = is_there ? ld_shared_v4(stage + place(turn * kWarps, vector, 0, 0)) : uint4{0, 0, 0, 0};
#else
            const u32 column = window * kWindowColumns + vector_column(vector, lane_quad());
            const bool is_there = source.first_row + group * kGroupRows + lane_row() < source.rows && (kWholeTurns || column < IN_FEATURES);
            if (vector == 0)
                partial[group] = 0.0f;
            pairs[i] = to_pairs(read_vector(source, row + group * (kGroupRows * IN_FEATURES), column, is_there), partial[group]);
            if (HAS_NORM && vector == 1)
                squares[group] += partial[group];
#endif
        }
    }

    __device__ __forceinline__ float squares_of(u32 group) const { return squares[group]; }

private:
    DecodeInput source;
    const INPUT* row;           // the lane's of the first group
    u32 stage;                  // the lane's vector of the warp's first window
    float squares[ROW_GROUPS] = {};
    float partial[ROW_GROUPS];  // of the window that is being read

    // [window][vector][row][quad] of 16 bytes: a vector of eight rows is read without conflicts.
    static __device__ __forceinline__ u32 place(u32 window, u32 vector, u32 row, u32 quad) {
        return (((window * 2 + vector) * STAGED_INPUT + row) * 4 + quad) * 16;
    }

#if STAGED_INPUT

    // Both vectors on their way together take registers that int4's scales have.
    static constexpr bool kVectorByVector = WEIGHT_INT4 || WEIGHT_ORDER;

    __device__ __forceinline__ RawVector raw_of(u32 window, u32 vector, u32 row, bool has_window) const {
        const u32 column = window * kWindowColumns + vector_column(vector, lane_quad());
        return read_vector(source, source.input + (i64)row * IN_FEATURES, column, has_window && (kWholeTurns || column < IN_FEATURES));
    }

    __device__ __forceinline__ void put(u32 window, u32 vector, u32 row, bool has_window, const RawVector& raw, float& squares) const {
        const uint4 pairs = to_pairs(raw, squares);
        if (has_window)
            st_shared_v4(cvta_to_shared(dynamic_shared()) + place(window, vector, row, lane_quad()), pairs);
    }

    // Eight of the warp's windows at a time, a lane for each quad of each.
    __device__ __forceinline__ void put_row(u32 row) {
        float sum = 0.0f;
#pragma unroll
        for (u32 first = 0; first < kTurns; first += kGroupRows) {
            const u32 window = (first + lane_row()) * kWarps + warp_index();
            const bool has_window = (kWholeTurns && kTurns % kGroupRows == 0) || window < kWindows;
            float of_window = 0.0f;
            if constexpr (kVectorByVector) {
#pragma unroll 1
                for (u32 vector = 0; vector < 2; vector++)
                    put(window, vector, row, has_window, raw_of(window, vector, row, has_window), of_window);
            } else {
                const RawVector first_half = raw_of(window, 0, row, has_window), second_half = raw_of(window, 1, row, has_window);
                put(window, 0, row, has_window, first_half, of_window);
                put(window, 1, row, has_window, second_half, of_window);
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
