// prefetch: asks for the line that holds an address; nothing waits for it. The address must be inside an allocation.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ void prefetch_global_l2(const void* address) {
    asm volatile("prefetch.global.L2 [%0];" :: "l"(address));
}
