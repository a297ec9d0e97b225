// Registers that only reads reach.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ u32 laneid() {
    u32 d;
    asm("mov.u32 %0, %%laneid;" : "=r"(d));
    return d;
}

__device__ __forceinline__ u32 smid() {
    u32 d;
    asm volatile("mov.u32 %0, %%smid;" : "=r"(d));
    return d;
}

// Nanoseconds, the same on the whole device; its resolution is about a microsecond on some.
__device__ __forceinline__ u64 globaltimer() {
    u64 d;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(d) :: "memory");
    return d;
}
