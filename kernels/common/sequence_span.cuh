// The part of a step that belongs to one sequence, and the pages that hold its keys and values.
#pragma once
#include "common/integers.cuh"

constexpr u32 kPageTokens = 64;

// Row first_row + i of the step sits at position past_length + i; position j lies in physical page page_table[first_page + j / 64], slot j % 64.
struct alignas(16) SequenceSpan {
    i32 first_row;
    i32 row_count;
    i32 past_length;
    i32 first_page;
};

static_assert(sizeof(SequenceSpan) == 16, "one access loads it");
