// ld with cache hints. Addresses are aligned to the size. nc: through the read-only path, so nothing in this kernel may write there.
// no_allocate and evict_first: for what is read once.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ uint4 ld_global_v4(const void* address) {
    uint4 d;
    asm volatile("ld.global.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(d.x), "=r"(d.y), "=r"(d.z), "=r"(d.w) : "l"(address) : "memory");
    return d;
}

__device__ __forceinline__ uint2 ld_global_v2(const void* address) {
    uint2 d;
    asm volatile("ld.global.v2.u32 {%0, %1}, [%2];" : "=r"(d.x), "=r"(d.y) : "l"(address) : "memory");
    return d;
}

__device__ __forceinline__ uint4 ld_global_nc_v4(const void* address) {
    uint4 d;
    asm volatile("ld.global.nc.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(d.x), "=r"(d.y), "=r"(d.z), "=r"(d.w) : "l"(address));
    return d;
}

__device__ __forceinline__ uint2 ld_global_nc_v2(const void* address) {
    uint2 d;
    asm volatile("ld.global.nc.v2.u32 {%0, %1}, [%2];" : "=r"(d.x), "=r"(d.y) : "l"(address));
    return d;
}

__device__ __forceinline__ u32 ld_global_nc_u32(const void* address) {
    u32 d;
    asm volatile("ld.global.nc.u32 %0, [%1];" : "=r"(d) : "l"(address));
    return d;
}

__device__ __forceinline__ uint4 ld_global_nc_no_allocate_v4(const void* address) {
    uint4 d;
    asm volatile("ld.global.nc.L1::no_allocate.L2::128B.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(d.x), "=r"(d.y), "=r"(d.z), "=r"(d.w) : "l"(address));
    return d;
}

#if __CUDA_ARCH__ >= 800
// policy: of createpolicy.cuh.
__device__ __forceinline__ uint4 ld_global_nc_no_allocate_v4(const void* address, u64 policy) {
    uint4 d;
    asm volatile("ld.global.nc.L1::no_allocate.L2::cache_hint.L2::128B.v4.u32 {%0, %1, %2, %3}, [%4], %5;"
                 : "=r"(d.x), "=r"(d.y), "=r"(d.z), "=r"(d.w) : "l"(address), "l"(policy));
    return d;
}
#endif

// The same, but not through the read-only path: ptxas moves loads of that path below griddepcontrol.wait, these it leaves where they are.
__device__ __forceinline__ uint4 ld_global_no_allocate_v4(const void* address) {
    uint4 d;
    asm volatile("ld.global.L1::no_allocate.L2::128B.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(d.x), "=r"(d.y), "=r"(d.z), "=r"(d.w) : "l"(address) : "memory");
    return d;
}

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ uint4 ld_global_no_allocate_v4(const void* address, u64 policy) {
    uint4 d;
    asm volatile("ld.global.L1::no_allocate.L2::cache_hint.L2::128B.v4.u32 {%0, %1, %2, %3}, [%4], %5;"
                 : "=r"(d.x), "=r"(d.y), "=r"(d.z), "=r"(d.w) : "l"(address), "l"(policy) : "memory");
    return d;
}
#endif

// Mapped host memory, which may change while the kernel runs.
__device__ __forceinline__ uint4 ld_volatile_global_v4(const void* address) {
    uint4 d;
    asm volatile("ld.volatile.global.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(d.x), "=r"(d.y), "=r"(d.z), "=r"(d.w) : "l"(address) : "memory");
    return d;
}

__device__ __forceinline__ u32 ld_relaxed_gpu_u32(const u32* address) {
    u32 d;
    asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(d) : "l"(address) : "memory");
    return d;
}

__device__ __forceinline__ u32 ld_acquire_gpu_u32(const u32* address) {
    u32 d;
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(d) : "l"(address) : "memory");
    return d;
}

__device__ __forceinline__ uint4 ld_shared_v4(u32 shared_address) {
    uint4 d;
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(d.x), "=r"(d.y), "=r"(d.z), "=r"(d.w) : "r"(shared_address) : "memory");
    return d;
}

__device__ __forceinline__ uint2 ld_shared_v2(u32 shared_address) {
    uint2 d;
    asm volatile("ld.shared.v2.u32 {%0, %1}, [%2];" : "=r"(d.x), "=r"(d.y) : "r"(shared_address) : "memory");
    return d;
}

__device__ __forceinline__ u32 ld_shared_u32(u32 shared_address) {
    u32 d;
    asm volatile("ld.shared.u32 %0, [%1];" : "=r"(d) : "r"(shared_address) : "memory");
    return d;
}
