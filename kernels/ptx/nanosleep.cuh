// nanosleep: for a loop that polls, so that it leaves the issue slots to others.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ void nanosleep(u32 nanoseconds) {
    asm volatile("nanosleep.u32 %0;" :: "r"(nanoseconds) : "memory");
}
