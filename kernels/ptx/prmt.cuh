// prmt: byte i of the result is byte (selector nibble i) of {b, a}: 0-3 of a, 4-7 of b. Bit 3 of a nibble replicates the byte's sign instead.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ u32 prmt(u32 a, u32 b, u32 selector) {
    u32 d;
    asm("prmt.b32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(selector));
    return d;
}
