// The same as decode_rows.cuh for storage of 32 bits, in plain loops: a witness for tests, not fast. A lane has a key, then columns of the output.
#pragma once
#include "attention/softmax_merge.cuh"

template <u32 group_size, u32 head_size>
class PlainDecodeRows {
    static constexpr u32 kColumns = head_size / kWarpLanes;
    static_assert(head_size % kWarpLanes == 0, "whole columns for each lane");

public:
    static constexpr u32 kTokens = 16;

    __device__ __forceinline__ explicit PlainDecodeRows(const float* queries) : queries(queries) {
#pragma unroll
        for (u32 head = 0; head < group_size; ++head)
            states[head] = {Maximum::identity(), 0.0f};
    }

    __device__ __forceinline__ void add(const float* keys, const float* values, u32 valid, float score_scale) {
        valid = min(valid, kTokens);
#pragma unroll
        for (u32 head = 0; head < group_size; ++head) {
            float score = Maximum::identity();
            if (lane() < valid) {
                score = 0.0f;
                for (u32 column = 0; column < head_size; ++column)
                    score = fmaf(queries[head * head_size + column], keys[lane() * head_size + column], score);
                score *= score_scale;
            }
            SoftmaxState& state = states[head];
            const float greatest = fmaxf(state.maximum, warp_reduce<Maximum>(score));
            const float reference = softmax_reference(greatest);
            const float rescale = ex2_approx_ftz(state.maximum - reference);
            const float weight = ex2_approx_ftz(score - reference);
            state = {greatest, state.sum * rescale + warp_reduce<Sum>(weight)};
#pragma unroll
            for (u32 part = 0; part < kColumns; ++part)
                outputs[head][part] *= rescale;
            for (u32 key = 0; key < valid; ++key) {
                const float key_weight = shfl_sync_idx(weight, key);
#pragma unroll
                for (u32 part = 0; part < kColumns; ++part)
                    outputs[head][part] = fmaf(key_weight, values[key * head_size + lane() + part * kWarpLanes], outputs[head][part]);
            }
        }
    }

    __device__ __forceinline__ void store(float (&destination)[group_size][head_size], SoftmaxState (&destination_states)[group_size]) const {
#pragma unroll
        for (u32 head = 0; head < group_size; ++head) {
            if (lane() == 0)
                destination_states[head] = states[head];
#pragma unroll
            for (u32 part = 0; part < kColumns; ++part)
                destination[head][lane() + part * kWarpLanes] = outputs[head][part];
        }
    }

private:
    __device__ __forceinline__ static u32 lane() { return threadIdx.x % kWarpLanes; }

    const float* const queries;
    float outputs[group_size][kColumns] = {};
    SoftmaxState states[group_size];
};
