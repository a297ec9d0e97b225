// Activations in float.
#pragma once
#include "common/integers.cuh"
#include "ptx/approx.cuh"

constexpr float kLog2E = 1.4426950408889634f;
constexpr float kSqrtHalf = 0.70710678118654752f;

// An IEEE division would be a call to a subroutine. Where e^-x overflows, the reciprocal is 0, as it should be.
__device__ __forceinline__ float sigmoid(float x) {
    return rcp_approx_ftz(1.0f + __expf(-x));
}

__device__ __forceinline__ float silu(float x) {
    return x * sigmoid(x);
}

// CLIP's x · sigmoid(1.702 x).
__device__ __forceinline__ float quick_gelu(float x) {
    return x * sigmoid(1.702f * x);
}

// The exact form, with erf.
__device__ __forceinline__ float gelu(float x) {
    return 0.5f * x * (1.0f + erff(x * kSqrtHalf));
}

__device__ constexpr u32 ceil_divide(u32 a, u32 b) {
    return (a + b - 1) / b;
}
