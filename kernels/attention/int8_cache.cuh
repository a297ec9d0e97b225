// Keys and values as integers of 8 bits with a scale a token and head. A page's layer is, for each key/value head, keys [64, head_size] and then their scales
// f32 [64], values likewise after the keys of all heads. In registers an element is the 16-bit number that an unquantised cache would hold:
// integer · scale, exact in f32 and rounded once.
#pragma once
#include "common/sequence_span.cuh"
#include "common/types.cuh"
#include "ptx/ld.cuh"
#include "ptx/prmt.cuh"

// Rows of one head, and where their scales are.
struct Int8Rows {
    const i8* rows;
    const float* scales;

    // A head further on.
    __device__ __forceinline__ Int8Rows operator+(i64 bytes) const {
        return {rows + bytes, reinterpret_cast<const float*>(reinterpret_cast<const i8*>(scales) + bytes)};
    }
};

template <u32 kv_heads, u32 head_size>
struct Int8Cache {
    static constexpr u32 kHeadBytes = kPageTokens * (head_size + sizeof(float));

    // From a key to its value, and from a key's scale to its value's.
    static constexpr i64 kValueOffset = (i64)kv_heads * kHeadBytes;

    const u8* layer;
    i64 page_bytes;

    // From a token of the page on.
    __device__ __forceinline__ Int8Rows keys(i32 page, u32 kv_head, u32 token = 0) const {
        const u8* const head = layer + page * page_bytes + kv_head * kHeadBytes;
        return {reinterpret_cast<const i8*>(head) + token * head_size, reinterpret_cast<const float*>(head + kPageTokens * head_size) + token};
    }
};

// 2^23 + 128 + integer, less 2^23 + 128.
__device__ __forceinline__ float int8_at(u32 flipped, u32 index) {
    return __uint_as_float(prmt(flipped, 0x4B000000u, 0x7440 + index)) - 8388736.0f;
}

// Four neighbours of a row as two pairs.
template <typename T>
__device__ __forceinline__ uint2 scaled_pairs(u32 word, float scale) {
    const u32 flipped = word ^ 0x80808080u;
    return {pack_pair<T>(int8_at(flipped, 0) * scale, int8_at(flipped, 1) * scale), pack_pair<T>(int8_at(flipped, 2) * scale, int8_at(flipped, 3) * scale)};
}

// Eight neighbours.
template <typename T>
__device__ __forceinline__ uint4 scaled_eight(uint2 words, float scale) {
    const uint2 first = scaled_pairs<T>(words.x, scale), second = scaled_pairs<T>(words.y, scale);
    return {first.x, first.y, second.x, second.y};
}
