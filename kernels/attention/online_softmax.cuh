// Softmax of scores that arrive in pieces: the maximum so far, and sums relative to it. Scores are in units of log2, so that weights are powers of two.
// A row that has seen no key, or only scores of -infinity, has weights and sums of zero, never NaN.
#pragma once
#include "common/math.cuh"
#include "common/reduce.cuh"

// What exponents are taken relative to, for a row whose greatest score is `maximum`.
__device__ __forceinline__ float softmax_reference(float maximum) {
    return maximum == Maximum::identity() ? 0.0f : maximum;
}

// 1 / sum of a row. NaN stays NaN.
__device__ __forceinline__ float softmax_normalizer(float sum) {
    return sum == 0.0f ? 0.0f : rcp_approx_ftz(sum);
}
