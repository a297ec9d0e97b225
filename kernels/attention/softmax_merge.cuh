// Attention over disjoint sets of keys, put together.
#pragma once
#include "attention/online_softmax.cuh"

// Of one query over some keys.
struct SoftmaxState {
    float maximum;
    float sum;  // relative to the maximum, as the outputs are
};

struct MergedOutputs {
    float values[4];
    SoftmaxState state;
};

// Four columns of `parts` partial outputs, added in their order. outputs: aligned to 16 bytes, output_stride floats from one part to the next.
__device__ __forceinline__ MergedOutputs merge_parts(const float* outputs, u32 output_stride, const SoftmaxState* states, u32 state_stride, u32 parts) {
    MergedOutputs merged{{}, {Maximum::identity(), 0.0f}};
    for (u32 part = 0; part < parts; ++part)
        merged.state.maximum = fmaxf(merged.state.maximum, states[part * state_stride].maximum);
    const float reference = softmax_reference(merged.state.maximum);
#pragma unroll 4
    for (u32 part = 0; part < parts; ++part) {
        const SoftmaxState state = states[part * state_stride];
        const float4 output = *reinterpret_cast<const float4*>(outputs + (u64)part * output_stride);
        const float weight = ex2_approx_ftz(state.maximum - reference);
        merged.state.sum = fmaf(weight, state.sum, merged.state.sum);
        merged.values[0] = fmaf(weight, output.x, merged.values[0]);
        merged.values[1] = fmaf(weight, output.y, merged.values[1]);
        merged.values[2] = fmaf(weight, output.z, merged.values[2]);
        merged.values[3] = fmaf(weight, output.w, merged.values[3]);
    }
    return merged;
}
