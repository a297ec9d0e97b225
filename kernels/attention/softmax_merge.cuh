// Attention over disjoint sets of keys, put together.
#pragma once
#include "attention/online_softmax.cuh"

// Of one query over some keys.
struct alignas(8) SoftmaxState {
    float maximum;
    float sum;  // relative to the maximum, as the outputs are
};

struct MergedOutputs {
    float values[4];
    SoftmaxState state;
};

// Four columns of `parts` partial outputs, added in their order, `batch` of them read at a time. outputs: aligned to 16 bytes, output_stride floats from one
// part to the next. Everything is read once; what was added before is scaled where a batch has a greater maximum.
template <u32 batch>
__device__ __forceinline__ MergedOutputs merge_parts(const float* outputs, u32 output_stride, const SoftmaxState* states, u32 state_stride, u32 parts) {
    MergedOutputs merged{{}, {Maximum::identity(), 0.0f}};
    for (u32 first = 0; first < parts; first += batch) {
        float2 state[batch];
        float4 output[batch];
        float greatest = merged.state.maximum;
#pragma unroll
        for (u32 i = 0; i < batch; ++i) {
            const bool is_there = first + i < parts;
            state[i] = is_there ? *reinterpret_cast<const float2*>(states + (first + i) * state_stride) : float2{Maximum::identity(), 0.0f};
            output[i] = is_there ? *reinterpret_cast<const float4*>(outputs + (u64)(first + i) * output_stride) : float4{0.0f, 0.0f, 0.0f, 0.0f};
        }
#pragma unroll
        for (u32 i = 0; i < batch; ++i)
            greatest = fmaxf(greatest, state[i].x);
        const float reference = softmax_reference(greatest);
        const float rescale = ex2_approx_ftz(merged.state.maximum - reference);
        merged.state = {greatest, merged.state.sum * rescale};
#pragma unroll
        for (u32 column = 0; column < 4; ++column)
            merged.values[column] *= rescale;
#pragma unroll
        for (u32 i = 0; i < batch; ++i) {
            const float weight = ex2_approx_ftz(state[i].x - reference);
            merged.state.sum = fmaf(weight, state[i].y, merged.state.sum);
            merged.values[0] = fmaf(weight, output[i].x, merged.values[0]);
            merged.values[1] = fmaf(weight, output[i].y, merged.values[1]);
            merged.values[2] = fmaf(weight, output[i].z, merged.values[2]);
            merged.values[3] = fmaf(weight, output[i].w, merged.values[3]);
        }
    }
    return merged;
}
