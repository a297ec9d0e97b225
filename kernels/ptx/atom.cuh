// atom and red, on global memory, for all threads of the device. Relaxed unless named otherwise: to hand over other data, put a fence before and after,
// or use acq_rel.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ u32 atom_add_relaxed_gpu_u32(u32* address, u32 a) {
    u32 d;
    asm volatile("atom.relaxed.gpu.global.add.u32 %0, [%1], %2;" : "=r"(d) : "l"(address), "r"(a) : "memory");
    return d;
}

__device__ __forceinline__ u32 atom_add_acq_rel_gpu_u32(u32* address, u32 a) {
    u32 d;
    asm volatile("atom.acq_rel.gpu.global.add.u32 %0, [%1], %2;" : "=r"(d) : "l"(address), "r"(a) : "memory");
    return d;
}

__device__ __forceinline__ u32 atom_exch_relaxed_gpu_u32(u32* address, u32 a) {
    u32 d;
    asm volatile("atom.relaxed.gpu.global.exch.b32 %0, [%1], %2;" : "=r"(d) : "l"(address), "r"(a) : "memory");
    return d;
}

__device__ __forceinline__ u32 atom_cas_acq_rel_gpu_u32(u32* address, u32 expected, u32 a) {
    u32 d;
    asm volatile("atom.acq_rel.gpu.global.cas.b32 %0, [%1], %2, %3;" : "=r"(d) : "l"(address), "r"(expected), "r"(a) : "memory");
    return d;
}

__device__ __forceinline__ u64 atom_max_relaxed_gpu_u64(u64* address, u64 a) {
    u64 d;
    asm volatile("atom.relaxed.gpu.global.max.u64 %0, [%1], %2;" : "=l"(d) : "l"(address), "l"(a) : "memory");
    return d;
}

__device__ __forceinline__ void red_add_relaxed_gpu_u32(u32* address, u32 a) {
    asm volatile("red.relaxed.gpu.global.add.u32 [%0], %1;" :: "l"(address), "r"(a) : "memory");
}

__device__ __forceinline__ void red_add_release_gpu_u32(u32* address, u32 a) {
    asm volatile("red.release.gpu.global.add.u32 [%0], %1;" :: "l"(address), "r"(a) : "memory");
}

// The order of the additions, and so the last bits of the sum, differ from run to run.
__device__ __forceinline__ void red_add_relaxed_gpu_f32(float* address, float a) {
    asm volatile("red.relaxed.gpu.global.add.f32 [%0], %1;" :: "l"(address), "f"(a) : "memory");
}
