// Rows moved four or eight elements at a time, as one 8 or 16-byte access, and widened to float on the way.
#pragma once
#include "common/types.cuh"
#include "ptx/ld.cuh"
#include "ptx/st.cuh"

// load4: source is aligned to four elements.
__device__ __forceinline__ void load4(float (&values)[4], const float* source) {
    const uint4 bits = ld_global_v4(source);
    values[0] = __uint_as_float(bits.x);
    values[1] = __uint_as_float(bits.y);
    values[2] = __uint_as_float(bits.z);
    values[3] = __uint_as_float(bits.w);
}

template <typename T>
__device__ __forceinline__ void load4(float (&values)[4], const T* source) {
    static_assert(sizeof(T) == 2, "16-bit storage");
    const uint2 bits = ld_global_v2(source);
    values[0] = lower_of<T>(bits.x);
    values[1] = upper_of<T>(bits.x);
    values[2] = lower_of<T>(bits.y);
    values[3] = upper_of<T>(bits.y);
}

// store4: destination is aligned to four elements.
__device__ __forceinline__ void store4(float* destination, const float (&values)[4]) {
    st_global_v4(destination, {__float_as_uint(values[0]), __float_as_uint(values[1]), __float_as_uint(values[2]), __float_as_uint(values[3])});
}

template <typename T>
__device__ __forceinline__ void store4(T* destination, const float (&values)[4]) {
    static_assert(sizeof(T) == 2, "16-bit storage");
    st_global_v2(destination, {pack_pair<T>(values[0], values[1]), pack_pair<T>(values[2], values[3])});
}

// The same with one element, for rows that are not a multiple of four.
template <typename T>
__device__ __forceinline__ void load1(float (&values)[1], const T* source) {
    values[0] = to_float(*source);
}

template <typename T>
__device__ __forceinline__ void store1(T* destination, const float (&values)[1]) {
    *destination = from_float<T>(values[0]);
}
