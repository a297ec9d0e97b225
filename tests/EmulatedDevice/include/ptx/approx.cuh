// Host version, for the emulated device: same functions as kernels/ptx/approx.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ float flushed(float a) {
    return fabsf(a) < 1.17549435e-38f ? copysignf(0.0f, a) : a;
}

__device__ __forceinline__ float ex2_approx_ftz(float a) {
    return flushed(exp2f(flushed(a)));
}

__device__ __forceinline__ float lg2_approx_ftz(float a) {
    return flushed(log2f(flushed(a)));
}

__device__ __forceinline__ float rcp_approx_ftz(float a) {
    return flushed(1.0f / flushed(a));
}

__device__ __forceinline__ float rsqrt_approx_ftz(float a) {
    return flushed(rsqrtf(flushed(a)));
}
