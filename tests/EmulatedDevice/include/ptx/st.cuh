// Host version, for the emulated device: same functions as kernels/ptx/st.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

// One access of the whole size, so that the watcher sees it as the device would.
typedef u32 watched_v4 __attribute__((vector_size(16), may_alias));
typedef u32 watched_v2 __attribute__((vector_size(8), may_alias));
typedef u32 watched_v1 __attribute__((may_alias));

__device__ __forceinline__ void st_global_v4(void* address, uint4 a) {
    *(watched_v4*)address = watched_v4{a.x, a.y, a.z, a.w};
}

__device__ __forceinline__ void st_global_v2(void* address, uint2 a) {
    *(watched_v2*)address = watched_v2{a.x, a.y};
}

__device__ __forceinline__ void st_global_cs_v4(void* address, uint4 a) {
    st_global_v4(address, a);
}

__device__ __forceinline__ void st_relaxed_gpu_u32(u32* address, u32 a, emulated_site site = EMULATED_HERE) {
    emulated_store_u32(address, a, emulated_relaxed, site);
}

__device__ __forceinline__ void st_release_gpu_u32(u32* address, u32 a, emulated_site site = EMULATED_HERE) {
    emulated_store_u32(address, a, emulated_release, site);
}

__device__ __forceinline__ void st_shared_v4(u32 shared_address, uint4 a) {
    st_global_v4(emulated_shared_pointer(shared_address), a);
}

__device__ __forceinline__ void st_shared_v2(u32 shared_address, uint2 a) {
    st_global_v2(emulated_shared_pointer(shared_address), a);
}

__device__ __forceinline__ void st_shared_u32(u32 shared_address, u32 a) {
    *(watched_v1*)emulated_shared_pointer(shared_address) = a;
}
