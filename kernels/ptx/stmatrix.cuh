// stmatrix (sm_90): the reverse of ldmatrix. Lane 8 i + r gives the address of row r of matrix i; lane l stores to row l / 4, elements 2 (l % 4)
// and the next. trans: to column l / 4.
#pragma once
#include "common/integers.cuh"

#if __CUDA_ARCH__ >= 900
__device__ __forceinline__ void stmatrix_x1(u32 row_address, u32 a) {
    asm volatile("stmatrix.sync.aligned.m8n8.x1.shared.b16 [%0], {%1};" :: "r"(row_address), "r"(a) : "memory");
}

__device__ __forceinline__ void stmatrix_x2(u32 row_address, const u32 (&a)[2]) {
    asm volatile("stmatrix.sync.aligned.m8n8.x2.shared.b16 [%0], {%1, %2};" :: "r"(row_address), "r"(a[0]), "r"(a[1]) : "memory");
}

__device__ __forceinline__ void stmatrix_x4(u32 row_address, const u32 (&a)[4]) {
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};"
                 :: "r"(row_address), "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]) : "memory");
}

__device__ __forceinline__ void stmatrix_x1_trans(u32 row_address, u32 a) {
    asm volatile("stmatrix.sync.aligned.m8n8.x1.trans.shared.b16 [%0], {%1};" :: "r"(row_address), "r"(a) : "memory");
}

__device__ __forceinline__ void stmatrix_x2_trans(u32 row_address, const u32 (&a)[2]) {
    asm volatile("stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [%0], {%1, %2};" :: "r"(row_address), "r"(a[0]), "r"(a[1]) : "memory");
}

__device__ __forceinline__ void stmatrix_x4_trans(u32 row_address, const u32 (&a)[4]) {
    asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};"
                 :: "r"(row_address), "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]) : "memory");
}
#endif
