// One layer of the paged cache: page p holds, for each of its 64 tokens and each key/value head, keys [kv_heads, 64, head_size],
// then values [kv_heads, 64, head_size], at layer + p · page_bytes. CACHE_INT8: integers with scales (int8_cache.cuh), else STORAGE.
#pragma once
#include "attention/int8_cache.cuh"
#include "common/sequence_span.cuh"

template <typename T, u32 kv_heads, u32 head_size>
struct PagedCache {
    static constexpr u32 kHeadElements = kPageTokens * head_size;
    static constexpr u32 kHeadBytes = kHeadElements * sizeof(T);

    // From a key to its value.
    static constexpr i64 kValueOffset = (i64)kv_heads * kHeadElements;

    const u8* layer;
    i64 page_bytes;

    // [64, head_size], from a token of the page on.
    __device__ __forceinline__ const T* keys(i32 page, u32 kv_head, u32 token = 0) const {
        return reinterpret_cast<const T*>(layer + page * page_bytes) + kv_head * kHeadElements + token * head_size;
    }
};

#if CACHE_INT8
template <typename T, u32 kv_heads, u32 head_size>
using KeyValueCache = Int8Cache<kv_heads, head_size>;
#else
template <typename T, u32 kv_heads, u32 head_size>
using KeyValueCache = PagedCache<T, kv_heads, head_size>;
#endif
