// One query of each head of a group against a warp's share of the keys, in registers (g = lane / 4, t = lane % 4).
// Scores: 16 keys as the rows of A, queries as the columns of B. Values, transposed, are A again and the weights B. Neither dot products nor the sums of
// the output's columns care how their terms and columns are numbered: every lane reads 16 bytes of a row at once and needs no shared memory. Loads are not those
// of the read-only path, which ptxas moves before the wait for the kernel that writes what they read.
#pragma once
#include "attention/half_mma.cuh"
#include "attention/int8_cache.cuh"
#include "attention/softmax_merge.cuh"
#include "ptx/ld.cuh"
#include "ptx/movmatrix.cuh"
#include "ptx/prmt.cuh"

template <typename T, u32 group_size, u32 head_size>
class DecodeRows {
    static_assert(group_size <= 8 && head_size % 64 == 0, "a column of B for each query; eight lanes read 64 columns of a value");

    static constexpr u32 kKeyParts = head_size / 32;
    static constexpr u32 kValueParts = head_size / 64;

public:
    static constexpr u32 kTokens = 16;

    // queries: [group_size, head_size].
    __device__ __forceinline__ explicit DecodeRows(const T* queries) : g(threadIdx.x % kWarpLanes / 4), t(threadIdx.x % 4) {
#pragma unroll
        for (u32 part = 0; part < kKeyParts; ++part)
            query[part] = g < group_size ? ld_global_v4(queries + g * head_size + 8 * (t + 4 * part)) : uint4{0, 0, 0, 0};
    }

    // keys, values: [kTokens, head_size] of T, or Int8Rows, of which the first `valid`, at least one, are read.
    template <typename Rows>
    __device__ __forceinline__ void add(const Rows& keys, const Rows& values, u32 valid, float score_scale) {
        uint4 key[2][kKeyParts];
        uint4 value[4][kValueParts];
#pragma unroll
        for (u32 half = 0; half < 2; ++half)
#pragma unroll
            for (u32 part = 0; part < kKeyParts; ++part)
                key[half][part] = load(keys, g + 8 * half, 8 * (t + 4 * part), valid);
#pragma unroll
        for (u32 row = 0; row < 4; ++row)
#pragma unroll
            for (u32 part = 0; part < kValueParts; ++part)
                value[row][part] = load(values, 2 * t + row % 2 + row / 2 * 8, 8 * (g + 8 * part), valid);
        float scores[4] = {};
#pragma unroll
        for (u32 part = 0; part < kKeyParts; ++part) {
            mma_m16n8k16<T>(scores, {key[0][part].x, key[1][part].x, key[0][part].y, key[1][part].y}, query[part].x, query[part].y);
            mma_m16n8k16<T>(scores, {key[0][part].z, key[1][part].z, key[0][part].w, key[1][part].w}, query[part].z, query[part].w);
        }
#pragma unroll
        for (u32 element = 0; element < 4; ++element)
            if (g + element / 2 * 8 >= valid)
                scores[element] = Maximum::identity();
        weigh(scores, score_scale);
        const u32 upper = movmatrix_trans(pack_pair<T>(scores[0], scores[1]));
        const u32 lower = movmatrix_trans(pack_pair<T>(scores[2], scores[3]));
#pragma unroll
        for (u32 part = 0; part < kValueParts; ++part) {
            add_columns(outputs[part][0], value[0][part].x, value[1][part].x, value[2][part].x, value[3][part].x, upper, lower);
            add_columns(outputs[part][1], value[0][part].y, value[1][part].y, value[2][part].y, value[3][part].y, upper, lower);
            add_columns(outputs[part][2], value[0][part].z, value[1][part].z, value[2][part].z, value[3][part].z, upper, lower);
            add_columns(outputs[part][3], value[0][part].w, value[1][part].w, value[2][part].w, value[3][part].w, upper, lower);
        }
    }

    // outputs: [group_size, head_size], states: [group_size], of this warp.
    __device__ __forceinline__ void store(float (&destination)[group_size][head_size], SoftmaxState (&states)[group_size]) const {
#pragma unroll
        for (u32 column = 0; column < 2; ++column) {
            const u32 head = 2 * t + column;
            const float sum = across_rows<Sum>(sums[column]);
            if (head >= group_size)
                continue;
            if (g == 0)
                states[head] = {maxima[column], sum};
#pragma unroll
            for (u32 part = 0; part < kValueParts; ++part)
#pragma unroll
                for (u32 quarter = 0; quarter < 2; ++quarter) {
                    const float(&left)[4] = outputs[part][2 * quarter];
                    const float(&right)[4] = outputs[part][2 * quarter + 1];
                    *reinterpret_cast<float4*>(&destination[head][64 * part + 8 * g + 4 * quarter]) = {
                        left[column], left[2 + column], right[column], right[2 + column]};
                }
        }
    }

private:
    __device__ __forceinline__ static uint4 load(const T* rows, u32 row, u32 column, u32 valid) {
        return row < valid ? ld_global_no_allocate_v4(rows + row * head_size + column) : uint4{0, 0, 0, 0};
    }

    __device__ __forceinline__ static uint4 load(const Int8Rows& keys, u32 row, u32 column, u32 valid) {
        if (row >= valid)
            return {0, 0, 0, 0};
        return scaled_eight<T>(ld_global_v2(keys.rows + row * head_size + column), keys.scales[row]);
    }

    // Over the lanes that differ in g.
    template <typename Operation>
    __device__ __forceinline__ static float across_rows(float value) {
#pragma unroll
        for (u32 distance = 16; distance >= 4; distance /= 2)
            value = Operation::combine(value, shfl_sync_bfly(value, distance));
        return value;
    }

    // Each word: two neighbouring columns of one token; tokens 2t, 2t + 1, 2t + 8, 2t + 9. The even columns become rows g of A, the odd ones rows g + 8.
    __device__ __forceinline__ static void add_columns(float (&sums)[4], u32 first, u32 second, u32 third, u32 fourth, u32 upper, u32 lower) {
        mma_m16n8k16<T>(sums, {prmt(first, second, 0x5410), prmt(first, second, 0x7632), prmt(third, fourth, 0x5410), prmt(third, fourth, 0x7632)},
                        upper, lower);
    }

    __device__ __forceinline__ void weigh(float (&scores)[4], float score_scale) {
#pragma unroll
        for (u32 column = 0; column < 2; ++column) {
            const float greatest = fmaxf(maxima[column], across_rows<Maximum>(fmaxf(scores[column], scores[2 + column])) * score_scale);
            const float reference = softmax_reference(greatest);
            const float rescale = ex2_approx_ftz(maxima[column] - reference);
            maxima[column] = greatest;
            scores[column] = ex2_approx_ftz(fmaf(scores[column], score_scale, -reference));
            scores[2 + column] = ex2_approx_ftz(fmaf(scores[2 + column], score_scale, -reference));
            sums[column] = sums[column] * rescale + scores[column] + scores[2 + column];
#pragma unroll
            for (u32 part = 0; part < kValueParts; ++part)
#pragma unroll
                for (u32 tile = 0; tile < 4; ++tile) {
                    outputs[part][tile][column] *= rescale;
                    outputs[part][tile][2 + column] *= rescale;
                }
        }
    }

    const u32 g;
    const u32 t;
    uint4 query[kKeyParts];
    float outputs[kValueParts][4][4] = {};  // [part][i]: columns 64 part + 8g + 2i and the next, of heads 2t and 2t + 1 each.
    float maxima[2] = {Maximum::identity(), Maximum::identity()};  // Of heads 2t and 2t + 1, over all lanes.
    float sums[2] = {};                                            // Over this lane's keys.
};
