// movmatrix (sm_75): transposes one 8x8 matrix of 16-bit elements held in fragments, without shared memory.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ u32 movmatrix_trans(u32 a) {
    u32 d;
    asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(d) : "r"(a));
    return d;
}
