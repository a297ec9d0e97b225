// Weights of 4 bits, and what weights in groups of columns have beside their integers. An element q of a group stands for (q - zero) · scale.
//
// A unit is 16 outputs x 64 columns: 512 bytes, 16 for each lane of a warp, units of a strip one after another. Word j of lane (g, t) is what it holds of the A
// operand of step j, whose columns are 32 (j / 2) + 8 t + 4 (j % 2) + 0 to 3: nibbles i and i + 4 are the lower and upper half of register i, with the first
// two columns in registers 0 and 1 (rows g, g + 8), the others in 2 and 3. Signed elements are stored with 8 added.
// Scales are F16 [strip][group][8][2], zero points u8 likewise: those of rows g and g + 8 side by side.
#pragma once
#include "common/types.cuh"
#include "ptx/half2.cuh"
#include "ptx/lop3.cuh"
#include "ptx/prmt.cuh"

// Zero points in 4-bit weights without them.
constexpr u32 kInt4Bias = 8;

// A number whose last bits hold an integer below 16: 1024 + q in f16, 128 + q in bf16. Less offset, which is exact: q - zero.
template <typename T>
struct Int4Number;

template <>
struct Int4Number<f16> {
    static constexpr u32 kBase = 0x64006400u;
    static __device__ __forceinline__ u32 less(u32 number, u32 offset) { return sub_f16x2(number, offset); }
};

#if __CUDA_ARCH__ >= 800
template <>
struct Int4Number<bf16> {
    static constexpr u32 kBase = 0x43004300u;
    static __device__ __forceinline__ u32 less(u32 number, u32 offset) { return fma_bf16x2(number, 0x3F803F80u, offset ^ 0x80008000u); }
};
#endif

// The offset of a row in both halves of a register; zero is at most 127. which: byte of the pair that holds it.
template <typename T>
__device__ __forceinline__ u32 int4_offset(u32 zeros, u32 which) {
    return Int4Number<T>::kBase | prmt(zeros & 0xFFFFu, 0, which == 0 ? 0x2020 : 0x2121);
}

// One step's A operand, exact integers.
template <typename T>
__device__ __forceinline__ void widen_int4(u32 word, const u32 (&offsets)[2], u32 (&weight)[4]) {
#pragma unroll
    for (u32 i = 0; i < 4; i++)
        weight[i] = Int4Number<T>::less(lop3<0xEA>(word >> 4 * i, 0x000F000Fu, Int4Number<T>::kBase), offsets[i % 2]);
}

// Where an element of a unit lies, for those who read it one by one: word index of [32][4] and nibble.
struct Int4Place {
    u32 word;
    u32 nibble;
};

__device__ __forceinline__ constexpr Int4Place int4_place_of(u32 row, u32 column) {
    const u32 lane = row % 8 * 4 + column % 32 / 8, step = column / 32 * 2 + column % 8 / 4;
    return {lane * 4 + step, column % 4 / 2 * 2 + row / 8 + column % 2 * 4};
}
