// lop3: any function of three bits. table = f(0xF0, 0xCC, 0xAA), so (a & b) | c is 0xEA.
#pragma once
#include "common/integers.cuh"

template <u32 table>
__device__ __forceinline__ u32 lop3(u32 a, u32 b, u32 c) {
    static_assert(table < 256, "eight cases");
    u32 d;
    asm("lop3.b32 %0, %1, %2, %3, %4;" : "=r"(d) : "r"(a), "r"(b), "r"(c), "n"(table));
    return d;
}
