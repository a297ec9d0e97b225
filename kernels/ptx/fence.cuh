// fence.proxy.async (sm_90): what the thread wrote to shared memory before is seen by bulk copies and wgmma of the threads that it synchronises with after.
#pragma once
#include "common/integers.cuh"

#if __CUDA_ARCH__ >= 900
__device__ __forceinline__ void fence_proxy_async_shared_cta() {
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
#endif
