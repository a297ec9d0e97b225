// cp.async.bulk (sm_90): one thread gives a copy of a box of a tensor, or of plain bytes, to the TMA unit. Loads end in an mbarrier's transaction bytes,
// stores in the thread's bulk groups. A tensor map lies among the kernel's arguments, at a multiple of 64; coordinates are elements, the innermost first;
// what is outside of the tensor is read as zeros, which count, and is not written. Boxes at multiples of 128 bytes (1024 for the 128-byte swizzle).
#pragma once
#include "common/integers.cuh"

struct __align__(64) TensorMap {
    u64 opaque[16];
};

#if __CUDA_ARCH__ >= 900
__device__ __forceinline__ void cp_async_bulk_tensor_2d_load(u32 shared_address, const TensorMap* map, i32 x, i32 y, u32 barrier) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];"
                 :: "r"(shared_address), "l"(map), "r"(x), "r"(y), "r"(barrier) : "memory");
}

__device__ __forceinline__ void cp_async_bulk_tensor_3d_load(u32 shared_address, const TensorMap* map, i32 x, i32 y, i32 z, u32 barrier) {
    asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4}], [%5];"
                 :: "r"(shared_address), "l"(map), "r"(x), "r"(y), "r"(z), "r"(barrier) : "memory");
}

__device__ __forceinline__ void cp_async_bulk_tensor_2d_store(const TensorMap* map, i32 x, i32 y, u32 shared_address) {
    asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%1, %2}], [%3];"
                 :: "l"(map), "r"(x), "r"(y), "r"(shared_address) : "memory");
}

// Plain bytes: addresses and size in multiples of 16.
__device__ __forceinline__ void cp_async_bulk_load(u32 shared_address, const void* global, u32 bytes, u32 barrier) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];"
                 :: "r"(shared_address), "l"(global), "r"(bytes), "r"(barrier) : "memory");
}

__device__ __forceinline__ void cp_async_bulk_store(void* global, u32 shared_address, u32 bytes) {
    asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" :: "l"(global), "r"(shared_address), "r"(bytes) : "memory");
}

__device__ __forceinline__ void cp_async_bulk_commit_group() {
    asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}

// Waits until at most `pending` of the thread's newest groups are under way.
template <u32 pending>
__device__ __forceinline__ void cp_async_bulk_wait_group() {
    asm volatile("cp.async.bulk.wait_group %0;" :: "n"(pending) : "memory");
}

// Waits only until their sources were read: shared memory may be written again.
template <u32 pending>
__device__ __forceinline__ void cp_async_bulk_wait_group_read() {
    asm volatile("cp.async.bulk.wait_group.read %0;" :: "n"(pending) : "memory");
}
#endif
