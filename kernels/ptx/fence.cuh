// fence: what the thread did or saw before is visible, to all that see what it does after, in the block, on the device, on the device and the host.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ void fence_acq_rel_cta() {
    asm volatile("fence.acq_rel.cta;" ::: "memory");
}

__device__ __forceinline__ void fence_acq_rel_gpu() {
    asm volatile("fence.acq_rel.gpu;" ::: "memory");
}

__device__ __forceinline__ void fence_acq_rel_sys() {
    asm volatile("fence.acq_rel.sys;" ::: "memory");
}

#if __CUDA_ARCH__ >= 900
// What the thread wrote to shared memory before is seen by bulk copies and wgmma of those that it synchronises with after.
__device__ __forceinline__ void fence_proxy_async_shared_cta() {
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
#endif
