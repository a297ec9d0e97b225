// Host version, for the emulated device: same functions as kernels/ptx/lop3.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

template <u32 table>
__device__ __forceinline__ u32 lop3(u32 a, u32 b, u32 c) {
    static_assert(table < 256, "eight cases");
    u32 d = 0;
    for (u32 term = 0; term < 8; term++)
        if (table >> term & 1)
            d |= (term & 4 ? a : ~a) & (term & 2 ? b : ~b) & (term & 1 ? c : ~c);
    return d;
}
