// Philox4x32-10 (Salmon and others, 2011), a counter-based generator. The host has the same in Sampling/Philox4x32.cs.
#pragma once
#include "common/integers.cuh"

// Word x of the block with counter (low half of step, high half, 0, 0) and key (low half of seed, high half).
__device__ __forceinline__ u32 philox_4x32_10(u64 seed, u64 step) {
    u32 x = (u32)step, y = (u32)(step >> 32), z = 0, w = 0;
    u32 key0 = (u32)seed, key1 = (u32)(seed >> 32);
#pragma unroll
    for (u32 round = 0; round < 10; round++) {
        const u64 product0 = (u64)0xD2511F53u * x;
        const u64 product1 = (u64)0xCD9E8D57u * z;
        x = (u32)(product1 >> 32) ^ y ^ key0;
        y = (u32)product1;
        z = (u32)(product0 >> 32) ^ w ^ key1;
        w = (u32)product0;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return x;
}
