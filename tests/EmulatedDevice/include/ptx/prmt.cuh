// Host version, for the emulated device: same functions as kernels/ptx/prmt.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ u32 prmt(u32 a, u32 b, u32 selector) {
    const u64 bytes = (u64)b << 32 | a;
    u32 d = 0;
    for (u32 i = 0; i < 4; i++) {
        const u32 nibble = selector >> 4 * i & 15;
        const u32 byte = (u32)(bytes >> 8 * (nibble & 7)) & 0xFF;
        d |= (nibble & 8 ? (byte & 0x80 ? 0xFFu : 0u) : byte) << 8 * i;
    }
    return d;
}
