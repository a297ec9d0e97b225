// Host version, for the emulated device: same functions as kernels/ptx/fence.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ void fence_acq_rel_cta() {
    emulated_fence(emulated_block_scope);
}

__device__ __forceinline__ void fence_acq_rel_gpu() {
    emulated_fence(emulated_device_scope);
}

__device__ __forceinline__ void fence_acq_rel_sys() {
    emulated_fence(emulated_system_scope);
}

#if __CUDA_ARCH__ >= 900
__device__ __forceinline__ void fence_proxy_async_shared_cta() {
    emulated_proxy_fence();
}
#endif
