// One layer of the paged cache: page p holds, for each of its 64 tokens and each key/value head, keys [kv_heads, 64, head_size],
// then values [kv_heads, 64, head_size], at layer + p · page_bytes.
#pragma once
#include "common/sequence_span.cuh"

template <typename T, u32 kv_heads, u32 head_size>
struct PagedCache {
    static constexpr u32 kHeadElements = kPageTokens * head_size;

    // From a key to its value.
    static constexpr i64 kValueOffset = (i64)kv_heads * kHeadElements;

    const u8* layer;
    i64 page_bytes;

    // [64, head_size].
    __device__ __forceinline__ const T* keys(i32 page, u32 kv_head) const {
        return reinterpret_cast<const T*>(layer + page * page_bytes) + kv_head * kHeadElements;
    }
};
