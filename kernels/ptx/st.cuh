// st with cache hints. Addresses are aligned to the size. cs: written once, not read again soon.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ void st_global_v4(void* address, uint4 a) {
    asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};" :: "l"(address), "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w) : "memory");
}

__device__ __forceinline__ void st_global_v2(void* address, uint2 a) {
    asm volatile("st.global.v2.u32 [%0], {%1, %2};" :: "l"(address), "r"(a.x), "r"(a.y) : "memory");
}

__device__ __forceinline__ void st_global_cs_v4(void* address, uint4 a) {
    asm volatile("st.global.cs.v4.u32 [%0], {%1, %2, %3, %4};" :: "l"(address), "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w) : "memory");
}

__device__ __forceinline__ void st_relaxed_gpu_u32(u32* address, u32 a) {
    asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" :: "l"(address), "r"(a) : "memory");
}

__device__ __forceinline__ void st_release_gpu_u32(u32* address, u32 a) {
    asm volatile("st.release.gpu.global.u32 [%0], %1;" :: "l"(address), "r"(a) : "memory");
}

__device__ __forceinline__ void st_shared_v4(u32 shared_address, uint4 a) {
    asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};" :: "r"(shared_address), "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w) : "memory");
}

__device__ __forceinline__ void st_shared_v2(u32 shared_address, uint2 a) {
    asm volatile("st.shared.v2.u32 [%0], {%1, %2};" :: "r"(shared_address), "r"(a.x), "r"(a.y) : "memory");
}

__device__ __forceinline__ void st_shared_u32(u32 shared_address, u32 a) {
    asm volatile("st.shared.u32 [%0], %1;" :: "r"(shared_address), "r"(a) : "memory");
}
