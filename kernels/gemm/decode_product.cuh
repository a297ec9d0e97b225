// A warp's part of strips of 16 outputs times up to ROW_GROUPS x 8 rows: weights from memory to registers to tensor cores, strip after strip without a pause.
#pragma once
#include "gemm/decode_input.cuh"
#include "gemm/decode_window.cuh"
#include "gemm/int4_weights.cuh"
#include "gemm/int8_weights.cuh"
#include "gemm/multiply_step.cuh"

// Of the lane: four sums of each group of rows, and the squares of its part of row lane / 4 of each group.
struct DecodeSums {
    float outputs[ROW_GROUPS][4];
    float squares[ROW_GROUPS];
};

#if PLAIN_ARITHMETIC
// By plain multiplication and addition, a witness: the lane's four sums, element by element.
__device__ __forceinline__ float decode_weight(const DecodeWeights& weights, u32 output, u32 column) {
    const Weight* row = weights.weight + (i64)weight_row(output) * IN_FEATURES;
#if WEIGHT_GROUP
    const u32 strip = output / kStripRows, strip_row = output % kStripRows;
    const u32 place = ((strip * kGroups + column / WEIGHT_GROUP) * 8 + strip_row % 8) * 2 + strip_row / 8;
    const float scale = to_float(static_cast<const f16*>(weights.scale)[place]);
    i32 zero = WEIGHT_ZEROS ? weights.zero[place] : WEIGHT_INT4 ? kInt4Bias : 0;
#if WEIGHT_INT4
    const Int4Place element = int4_place_of(strip_row, column % kWindowColumns);
    const u32* const unit = reinterpret_cast<const u32*>(weights.weight) + ((i64)strip * kWindows + column / kWindowColumns) * (kWarpLanes * 4);
    return (float)((i32)(unit[element.word] >> 4 * element.nibble & 15) - zero) * scale;
#else
    // Unsigned elements are stored with 128 subtracted.
    return (float)(row[column / 16 * 16 + int8_place_of(column % 16)] + (WEIGHT_ZEROS ? 128 : 0) - zero) * scale;
#endif
#elif WEIGHT_INT8
    return (float)row[column / 16 * 16 + int8_place_of(column % 16)];
#else
    return (float)row[column];
#endif
}

class DecodeProduct {
public:
    __device__ __forceinline__ DecodeProduct(const DecodeWeights& weights, const DecodeInput& input)
        : weights(weights), input(input) {}

    __device__ __forceinline__ void request_first(u32) {}
    __device__ __forceinline__ void begin() {}

    __device__ __forceinline__ void multiply(u32 strip, u32, DecodeSums& sums) {
        for (u32 window = warp_index(); window < kWindows; window += kWarps)
            for (u32 place = window * kWindowColumns; place < (window + 1) * kWindowColumns && place < IN_FEATURES; place++) {
                const float pair[2] = {decode_weight(weights, strip * kStripRows + lane_row(), place),
                                       decode_weight(weights, strip * kStripRows + lane_row() + 8, place)};
                const u32 column = WEIGHT_ORDER ? input.order[place] : place;
                const float gain = HAS_NORM ? to_float(input.gain[column]) : 1.0f;
#pragma unroll
                for (u32 group = 0; group < ROW_GROUPS; group++)
                    add(sums, group, column, gain, pair);
            }
    }

private:
    DecodeWeights weights;
    DecodeInput input;

    __device__ __forceinline__ void add(DecodeSums& sums, u32 group, u32 column, float gain, const float (&weights)[2]) const {
        float values[2];
        for (u32 i = 0; i < 2; i++) {
            const u32 row = input.first_row + group * kGroupRows + lane_quad() * 2 + i;
            values[i] = row < input.rows ? to_float(input.input[(i64)row * IN_FEATURES + column]) * gain : 0.0f;
        }
        for (u32 i = 0; i < 4; i++)
            sums.outputs[group][i] = fmaf(values[i % 2], weights[i / 2], sums.outputs[group][i]);
        const u32 row = input.first_row + group * kGroupRows + lane_row();
        if (HAS_NORM && column % 4 == lane_quad() && row < input.rows) {
            const float value = to_float(input.input[(i64)row * IN_FEATURES + column]);
            sums.squares[group] = fmaf(value, value, sums.squares[group]);
        }
    }
};
#else

#if WEIGHT_INT4 || WEIGHT_INT8
__device__ __forceinline__ void multiply_integers(const Chunk& chunk, u32 step, const uint4 (&pairs)[kVectors], const u32 (&offsets)[2], float (&sums)[4]) {
    u32 weight[4];
#if WEIGHT_INT4
    widen_int4<STORAGE>(word_of(chunk.rows[0], step), offsets, weight);
    const uint4& values = pairs[step / 2];
    multiply_step<STORAGE>(sums, weight, word_of(values, step % 2 * 2), word_of(values, step % 2 * 2 + 1));
#else
    widen_int8<STORAGE>(word_of(chunk.rows[0], step), weight[0], weight[2]);
    widen_int8<STORAGE>(word_of(chunk.rows[1], step), weight[1], weight[3]);
    if constexpr (WEIGHT_ZEROS)
#pragma unroll
        for (u32 i = 0; i < 4; i++)
            weight[i] = less_int8_zero<STORAGE>(weight[i], offsets[i % 2]);
    multiply_step<STORAGE>(sums, weight, word_of(pairs[0], step), word_of(pairs[kVectors - 1], step));
#endif
}
#endif

#if WEIGHT_GROUP
// Integers are exact in STORAGE. A group's sum is formed of them, and multiplied by its scale when it is added to the row's.
__device__ __forceinline__ void multiply_groups(const Chunk& chunk, const uint4 (&pairs)[kVectors], float (&sums)[4]) {
    constexpr u32 kSteps = 4 / kGroupsOfWindow;
#pragma unroll
    for (u32 part = 0; part < kGroupsOfWindow; part++) {
        const u32 zeros = WEIGHT_ZEROS ? chunk.zeros[part * WEIGHT_ZEROS] : kInt4Bias * 0x101;
        u32 offsets[2] = {};
        if constexpr (WEIGHT_INT4 || WEIGHT_ZEROS)
#pragma unroll
            for (u32 half = 0; half < 2; half++)
                offsets[half] = WEIGHT_INT4 ? int4_offset<STORAGE>(zeros, half) : int8_zero<STORAGE>(zeros, half);
        float of_group[4] = {};
#pragma unroll
        for (u32 step = part * kSteps; step < (part + 1) * kSteps; step++)
            multiply_integers(chunk, step, pairs, offsets, of_group);
#pragma unroll
        for (u32 i = 0; i < 4; i++)
            sums[i] = fmaf(i < 2 ? lower_of<f16>(chunk.scales[part]) : upper_of<f16>(chunk.scales[part]), of_group[i], sums[i]);
    }
}
#endif

__device__ __forceinline__ void multiply_chunk(const Chunk& chunk, const uint4 (&pairs)[kVectors], float (&sums)[4]) {
#if WEIGHT_GROUP
    multiply_groups(chunk, pairs, sums);
#elif WEIGHT_INT8
#pragma unroll
    for (u32 step = 0; step < 4; step++)
        multiply_integers(chunk, step, pairs, {}, sums);
#else
#pragma unroll
    for (u32 step = 0; step < 2; step++) {
        const u32 weight[4] = {word_of(chunk.rows[0], step * 2), word_of(chunk.rows[1], step * 2), word_of(chunk.rows[0], step * 2 + 1), word_of(chunk.rows[1], step * 2 + 1)};
        multiply_step<STORAGE>(sums, weight, word_of(pairs[0], step * 2), word_of(pairs[0], step * 2 + 1));
    }
#endif
}

// As many chunks as a round has are always on their way: one that is multiplied makes room for that of the next round, or of the next strip's first.
// The input of a single group comes one chunk ahead; of several, which have no room beside the weights, when it is multiplied: it lies in the caches.
// Each group's sums take the same products in the same order, whatever other groups there are: what a row gives does not depend on its neighbours.
class DecodeProduct {
    static constexpr bool kInputComesAhead = ROW_GROUPS == 1 && !HAS_NORM;

public:
    __device__ __forceinline__ DecodeProduct(const DecodeWeights& weights, const DecodeInput& input)
        : weights(weights), input(input) {}

    // Before anything that another kernel may still be writing is read.
    __device__ __forceinline__ void request_first(u32 strip) {
        weights.go_to(strip);
#pragma unroll
        for (u32 slot = 0; slot < kSlots; slot++)
            weights.request(ring[slot], 0, slot);
    }

    __device__ __forceinline__ void begin() {
        input.begin();
        if constexpr (kInputComesAhead)
            input.read(ahead[0], 0, 0, 0);
    }

    // next_strip: kStrips or more where there is none.
    __device__ __forceinline__ void multiply(u32, u32 next_strip, DecodeSums& sums) {
        input.begin_strip();
#pragma unroll 1
        for (u32 round = 0; round < kRounds; round++) {
            const bool is_last = round + 1 == kRounds, is_followed = !is_last || next_strip < kStrips;
            const u32 next_round = is_last ? 0 : round + 1;
            if (is_last && is_followed)
                weights.go_to(next_strip);
#pragma unroll
            for (u32 slot = 0; slot < kSlots; slot++) {
                multiply_slot(round, next_round, slot, sums);
                if (is_followed)
                    weights.request(ring[slot], next_round, slot);
            }
        }
#pragma unroll
        for (u32 group = 0; group < ROW_GROUPS; group++)
            sums.squares[group] = input.squares_of(group);
    }

private:
    WeightStream weights;
    InputReader input;
    Chunk ring[kSlots];
    // In turns; where a round has an odd number of slots, the first is always the next slot's.
    uint4 ahead[2][kVectors];

    __device__ __forceinline__ void multiply_slot(u32 round, u32 next_round, u32 slot, DecodeSums& sums) {
        if constexpr (kInputComesAhead) {
            const u32 now = kSlots % 2 == 0 ? slot % 2 : 0, next = (slot + 1) % kSlots;
            input.read(ahead[1 - now], (next == 0 ? next_round : round) * kTurnsAhead + next / kChunks, next % kChunks, 0);
            multiply_chunk(ring[slot], ahead[now], sums.outputs[0]);
            if constexpr (kSlots % 2 != 0)
#pragma unroll
                for (u32 i = 0; i < kVectors; i++)
                    ahead[0][i] = ahead[1][i];
        } else {
            uint4 pairs[kVectors];
#pragma unroll
            for (u32 group = 0; group < ROW_GROUPS; group++) {
                input.read(pairs, round * kTurnsAhead + slot / kChunks, slot % kChunks, group);
                multiply_chunk(ring[slot], pairs, sums.outputs[group]);
            }
        }
    }
};
#endif
