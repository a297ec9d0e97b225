// Products of tiles in shared memory: bf16 on tensor cores, f32 with multiply-adds. A thread holds the same elements of a result in both, so that what follows
// a product is written once. Fragment (m, n) has rows 16 m + lane / 4 and that + 8, columns 8 n + lane % 4 · 2 and the next: [row][column] as [2 row + column].
#pragma once
#include "common/types.cuh"
#include "ptx/ldmatrix.cuh"
#include "ptx/mma.cuh"
#include "ptx/shared_memory.cuh"

// Elements from one row of a tile to the next: 16 bytes more than there are, so that the eight rows of an 8x8 matrix lie in different banks.
template <typename T>
__device__ constexpr u32 padded(u32 columns) {
    return columns + 16 / sizeof(T);
}

// d += A · B. A [16 kRows, kDepth] and B [kDepth, 8 kColumns]. As they lie in shared memory: a[row][depth], or a[depth][row] where transposed; b[column][depth], or
// b[depth][column] where transposed. Strides are elements from one row to the next. By whole warps; bf16 tiles are aligned to 16 bytes.
template <bool kATransposed, bool kBTransposed, u32 kDepth, u32 kRows, u32 kColumns>
__device__ __forceinline__ void multiply_add(float (&d)[kRows][kColumns][4], const bf16* a, u32 a_stride, const bf16* b, u32 b_stride) {
    static_assert(kDepth % 16 == 0 && kColumns % 2 == 0, "whole fragments, columns in pairs");
    const u32 lane = threadIdx.x % kWarpLanes;
    const u32 a_place = kATransposed ? (lane % 8 + lane / 16 * 8) * a_stride + lane / 8 % 2 * 8 : lane % 16 * a_stride + lane / 16 * 8;
    const u32 b_place = kBTransposed ? lane % 16 * b_stride + lane / 16 * 8 : (lane % 8 + lane / 16 * 8) * b_stride + lane / 8 % 2 * 8;
    const u32 a_address = cvta_to_shared(a + a_place), b_address = cvta_to_shared(b + b_place);
#pragma unroll
    for (u32 depth = 0; depth < kDepth; depth += 16) {
        u32 right[kColumns / 2][4];
#pragma unroll
        for (u32 n = 0; n < kColumns / 2; n++) {
            if constexpr (kBTransposed)
                ldmatrix_x4_trans(right[n], b_address + (depth * b_stride + 16 * n) * (u32)sizeof(bf16));
            else
                ldmatrix_x4(right[n], b_address + (16 * n * b_stride + depth) * (u32)sizeof(bf16));
        }
#pragma unroll
        for (u32 m = 0; m < kRows; m++) {
            u32 left[4];
            if constexpr (kATransposed)
                ldmatrix_x4_trans(left, a_address + (depth * a_stride + 16 * m) * (u32)sizeof(bf16));
            else
                ldmatrix_x4(left, a_address + (16 * m * a_stride + depth) * (u32)sizeof(bf16));
#pragma unroll
            for (u32 n = 0; n < kColumns / 2; n++) {
                mma_m16n8k16_f32_bf16(d[m][2 * n], left, right[n][0], right[n][1]);
                mma_m16n8k16_f32_bf16(d[m][2 * n + 1], left, right[n][2], right[n][3]);
            }
        }
    }
}

template <bool kATransposed, bool kBTransposed, u32 kDepth, u32 kRows, u32 kColumns>
__device__ __forceinline__ void multiply_add(float (&d)[kRows][kColumns][4], const f32* a, u32 a_stride, const f32* b, u32 b_stride) {
    const u32 row = threadIdx.x % kWarpLanes / 4, column = threadIdx.x % 4 * 2;
#pragma unroll 2
    for (u32 depth = 0; depth < kDepth; depth++) {
        float right[kColumns][2];
#pragma unroll
        for (u32 n = 0; n < kColumns; n++)
#pragma unroll
            for (u32 i = 0; i < 2; i++)
                right[n][i] = kBTransposed ? b[depth * b_stride + 8 * n + column + i] : b[(8 * n + column + i) * b_stride + depth];
#pragma unroll
        for (u32 m = 0; m < kRows; m++)
#pragma unroll
            for (u32 half = 0; half < 2; half++) {
                const u32 place = 16 * m + 8 * half + row;
                const float left = kATransposed ? a[depth * a_stride + place] : a[place * a_stride + depth];
#pragma unroll
                for (u32 n = 0; n < kColumns; n++) {
                    d[m][n][2 * half] += left * right[n][0];
                    d[m][n][2 * half + 1] += left * right[n][1];
                }
            }
    }
}

// Two neighbours of a tile, as the operands of a product.
__device__ __forceinline__ void store_pair(bf16* place, float first, float second) {
    *reinterpret_cast<u32*>(place) = pack_pair<bf16>(first, second);
}

__device__ __forceinline__ void store_pair(f32* place, float first, float second) {
    place[0] = first;
    place[1] = second;
}

// Four of them.
__device__ __forceinline__ void store_four(bf16* place, const float (&values)[4]) {
    *reinterpret_cast<uint2*>(place) = {pack_pair<bf16>(values[0], values[1]), pack_pair<bf16>(values[2], values[3])};
}

__device__ __forceinline__ void store_four(f32* place, const float (&values)[4]) {
    *reinterpret_cast<float4*>(place) = {values[0], values[1], values[2], values[3]};
}
