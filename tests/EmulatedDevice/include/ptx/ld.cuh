// Host version, for the emulated device: same functions as kernels/ptx/ld.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

// One access of the whole size, so that the watcher sees it as the device would.
typedef u32 watched_v4 __attribute__((vector_size(16), may_alias));
typedef u32 watched_v2 __attribute__((vector_size(8), may_alias));
typedef u32 watched_v1 __attribute__((may_alias));

__device__ __forceinline__ uint4 ld_global_v4(const void* address) {
    const watched_v4 bits = *(const watched_v4*)address;
    return {bits[0], bits[1], bits[2], bits[3]};
}

__device__ __forceinline__ uint2 ld_global_v2(const void* address) {
    const watched_v2 bits = *(const watched_v2*)address;
    return {bits[0], bits[1]};
}

__device__ __forceinline__ uint4 ld_global_nc_v4(const void* address, emulated_site site = EMULATED_HERE) {
    emulated_read_only(address, 16, site);
    return ld_global_v4(address);
}

__device__ __forceinline__ uint2 ld_global_nc_v2(const void* address, emulated_site site = EMULATED_HERE) {
    emulated_read_only(address, 8, site);
    return ld_global_v2(address);
}

__device__ __forceinline__ u32 ld_global_nc_u32(const void* address, emulated_site site = EMULATED_HERE) {
    emulated_read_only(address, 4, site);
    return *(const watched_v1*)address;
}

__device__ __forceinline__ uint4 ld_global_nc_no_allocate_v4(const void* address, emulated_site site = EMULATED_HERE) {
    return ld_global_nc_v4(address, site);
}

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ uint4 ld_global_nc_no_allocate_v4(const void* address, u64 policy, emulated_site site = EMULATED_HERE) {
    (void)policy;
    return ld_global_nc_v4(address, site);
}
#endif

__device__ __forceinline__ uint4 ld_global_no_allocate_v4(const void* address) {
    return ld_global_v4(address);
}

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ uint4 ld_global_no_allocate_v4(const void* address, u64 policy) {
    (void)policy;
    return ld_global_v4(address);
}
#endif

__device__ __forceinline__ uint4 ld_volatile_global_v4(const void* address) {
    return ld_global_v4(address);
}

__device__ __forceinline__ u32 ld_relaxed_gpu_u32(const u32* address, emulated_site site = EMULATED_HERE) {
    return emulated_load_u32(address, emulated_relaxed, site);
}

__device__ __forceinline__ u32 ld_acquire_gpu_u32(const u32* address, emulated_site site = EMULATED_HERE) {
    return emulated_load_u32(address, emulated_acquire, site);
}

__device__ __forceinline__ uint4 ld_shared_v4(u32 shared_address) {
    return ld_global_v4(emulated_shared_pointer(shared_address));
}

__device__ __forceinline__ uint2 ld_shared_v2(u32 shared_address) {
    return ld_global_v2(emulated_shared_pointer(shared_address));
}

__device__ __forceinline__ u32 ld_shared_u32(u32 shared_address) {
    return *(const watched_v1*)emulated_shared_pointer(shared_address);
}
