// The packed projection's way to attention: queries and keys are rotated, keys and values go to the cache.
// Per key/value head the projection has its GROUP_SIZE query heads, the key, the value, HEAD_SIZE columns each. In queries and keys eight columns of the
// first half of a head and the eight that are rotated with them take turns; they stay so, in the cache too. Values are as the model has them.
#pragma once
#include "common/sequence_span.cuh"
#include "common/types.cuh"

#ifdef HEAD_SIZE
struct RowPlace {
    i32 position;       // -1: the row belongs to no sequence
    i32 page;           // physical
};

// likely: the sequence that is looked at first; a row has one at most.
__device__ __forceinline__ RowPlace find_place(i32 row, const SequenceSpan* sequences, u32 sequence_count, const i32* page_table, u32 likely = 0) {
    const u32 begin = likely < sequence_count ? likely : 0;
    for (u32 turn = 0; turn < sequence_count; turn++) {
        const u32 index = begin + turn < sequence_count ? begin + turn : begin + turn - sequence_count;
        const SequenceSpan span = sequences[index];
        const i32 within = row - span.first_row;
        if (within < 0 || within >= span.row_count)
            continue;
        const i32 position = span.past_length + within;
        return {position, page_table[span.first_page + position / (i32)kPageTokens]};
    }
    return {-1, 0};
}

constexpr u32 kHeadsOfGroup = GROUP_SIZE + 2;

__device__ __forceinline__ bool is_rotated(u32 head) {
    return head % kHeadsOfGroup <= GROUP_SIZE;
}

// Where the head of a row begins: in queries [rows, KV_HEADS x GROUP_SIZE, HEAD_SIZE] or in the cache; null for a key or value of a row of no sequence.
// pages: of this layer, [page][keys [KV_HEADS, 64, HEAD_SIZE], values the same], page_bytes from page to page.
__device__ __forceinline__ STORAGE* head_destination(u32 head, u32 row, RowPlace place, STORAGE* queries, u8* pages, i64 page_bytes) {
    const u32 key_value_head = head / kHeadsOfGroup, member = head % kHeadsOfGroup;
    if (member < GROUP_SIZE)
        return queries + ((i64)row * (KV_HEADS * GROUP_SIZE) + key_value_head * GROUP_SIZE + member) * HEAD_SIZE;
    if (place.position < 0)
        return nullptr;
    const u32 plane = member == GROUP_SIZE ? key_value_head : KV_HEADS + key_value_head;
    STORAGE* page = (STORAGE*)(pages + place.page * page_bytes);
    return page + (plane * kPageTokens + (u32)place.position % kPageTokens) * HEAD_SIZE;
}

// Half-split rotation of (first, second) by the angle whose cosine and sine are given.
__device__ __forceinline__ void rotate(float2 angle, float& first, float& second) {
    const float rotated = first * angle.x - second * angle.y;
    second = second * angle.x + first * angle.y;
    first = rotated;
}
#endif
