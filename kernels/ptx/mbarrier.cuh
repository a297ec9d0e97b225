// mbarrier (sm_90): a barrier in shared memory, 8 bytes at a multiple of 8, whose phase ends when all arrivals and all announced bytes are there. The next
// phase begins by itself. Addresses are 32-bit, in the block's own window.
#pragma once
#include "common/integers.cuh"

#if __CUDA_ARCH__ >= 900
// By one thread, for `count` arrivals a phase.
__device__ __forceinline__ void mbarrier_init(u32 barrier, u32 count) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" :: "r"(barrier), "r"(count) : "memory");
}

__device__ __forceinline__ void mbarrier_inval(u32 barrier) {
    asm volatile("mbarrier.inval.shared::cta.b64 [%0];" :: "r"(barrier) : "memory");
}

// Makes the thread's initialisations visible to bulk copies; a barrier of the block makes them visible to its threads.
__device__ __forceinline__ void fence_mbarrier_init() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

__device__ __forceinline__ void mbarrier_arrive(u32 barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" :: "r"(barrier) : "memory");
}

// Arrives, and announces bytes that copies will bring in this phase. Before the copies.
__device__ __forceinline__ void mbarrier_arrive_expect_tx(u32 barrier, u32 bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" :: "r"(barrier), "r"(bytes) : "memory");
}

// Whether the phase of this parity is over; it may say no on a time limit. A fresh barrier is in phase 0: parity 1 passes.
__device__ __forceinline__ bool mbarrier_try_wait_parity(u32 barrier, u32 parity) {
    u32 done;
    asm volatile("{\n"
                 ".reg .pred p;\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
                 "selp.u32 %0, 1, 0, p;\n"
                 "}"
                 : "=r"(done) : "r"(barrier), "r"(parity) : "memory");
    return done != 0;
}
#endif
