// cp.async (sm_80): copies global to shared memory behind the thread's back. Both sides aligned to the size. The first source_bytes are copied,
// the rest of the destination becomes zero. Nothing may be read before the copying thread's wait_group and, by other threads, a barrier after it.
// cg: through L2 only; ca: through L1 as well.
#pragma once
#include "common/integers.cuh"

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ void cp_async_cg_16(u32 shared_address, const void* global) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" :: "r"(shared_address), "l"(global) : "memory");
}

__device__ __forceinline__ void cp_async_cg_16(u32 shared_address, const void* global, u32 source_bytes) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" :: "r"(shared_address), "l"(global), "r"(source_bytes) : "memory");
}

__device__ __forceinline__ void cp_async_ca_16(u32 shared_address, const void* global, u32 source_bytes = 16) {
    asm volatile("cp.async.ca.shared.global.L2::128B [%0], [%1], 16, %2;" :: "r"(shared_address), "l"(global), "r"(source_bytes) : "memory");
}

__device__ __forceinline__ void cp_async_ca_8(u32 shared_address, const void* global, u32 source_bytes = 8) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;" :: "r"(shared_address), "l"(global), "r"(source_bytes) : "memory");
}

__device__ __forceinline__ void cp_async_ca_4(u32 shared_address, const void* global, u32 source_bytes = 4) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" :: "r"(shared_address), "l"(global), "r"(source_bytes) : "memory");
}

__device__ __forceinline__ void cp_async_commit_group() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

// Waits until at most `pending` of the thread's newest groups are under way.
template <u32 pending>
__device__ __forceinline__ void cp_async_wait_group() {
    asm volatile("cp.async.wait_group %0;" :: "n"(pending) : "memory");
}

__device__ __forceinline__ void cp_async_wait_all() {
    asm volatile("cp.async.wait_all;" ::: "memory");
}
#endif
