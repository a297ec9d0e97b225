// What the kernels with planted mistakes share. Thread 37 of block 1 errs (with thread 5, where it takes two) if `planted` is 1.
#pragma once
#include "common/integers.cuh"

constexpr u32 kThreads = 64, kCount = 256;
constexpr u32 kBlock = 1, kThread = 37, kOther = 5;

struct Args {
    u32* data;      // [kCount]
    u32* result;    // [blocks, kThreads]
    u32 planted;    // 0 or 1
};

static_assert(sizeof(Args) == 24, "as the host has it");

// All threads of the block that errs.
__device__ __forceinline__ bool block_errs(const Args& args) {
    return args.planted != 0 && blockIdx.x == kBlock;
}

__device__ __forceinline__ bool thread_errs(const Args& args) {
    return block_errs(args) && threadIdx.x == kThread;
}

__device__ __forceinline__ u32* result_of(const Args& args) {
    return args.result + blockIdx.x * kThreads + threadIdx.x;
}
