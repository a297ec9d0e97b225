// ldmatrix (sm_75): 8x8 matrices of 16-bit elements from shared memory into mma fragments. Lane 8 i + r gives the address of row r of matrix i
// (16 bytes, 16-byte aligned); lane l receives of each matrix row l / 4, elements 2 (l % 4) and the next. trans: of column l / 4.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ void ldmatrix_x1(u32& d, u32 row_address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(d) : "r"(row_address));
}

__device__ __forceinline__ void ldmatrix_x2(u32 (&d)[2], u32 row_address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];" : "=r"(d[0]), "=r"(d[1]) : "r"(row_address));
}

__device__ __forceinline__ void ldmatrix_x4(u32 (&d)[4], u32 row_address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3]) : "r"(row_address));
}

__device__ __forceinline__ void ldmatrix_x1_trans(u32& d, u32 row_address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];" : "=r"(d) : "r"(row_address));
}

__device__ __forceinline__ void ldmatrix_x2_trans(u32 (&d)[2], u32 row_address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];" : "=r"(d[0]), "=r"(d[1]) : "r"(row_address));
}

__device__ __forceinline__ void ldmatrix_x4_trans(u32 (&d)[4], u32 row_address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3]) : "r"(row_address));
}
