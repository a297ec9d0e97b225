// What happens to a sum before it is stored, for prefill and decode alike. All in float; the store rounds once.
#pragma once
#include "common/math.cuh"
#include "common/types.cuh"

constexpr u32 kPlainEpilogue = 0, kGatedEpilogue = 1, kRopeEpilogue = 2;
constexpr u32 kNoActivation = 0, kQuickGelu = 1, kGelu = 2;

template <u32 activation>
__device__ __forceinline__ float activate(float value) {
    static_assert(activation <= kGelu, "none, QuickGELU or GELU");
    if constexpr (activation == kQuickGelu)
        return quick_gelu(value);
    else if constexpr (activation == kGelu)
        return gelu(value);
    else
        return value;
}
