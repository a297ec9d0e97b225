// prefetch: a line on its way to L2 that nobody waits for.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ void prefetch_global_l2(const void* address) {
    asm volatile("prefetch.global.L2 [%0];" :: "l"(address));
}
