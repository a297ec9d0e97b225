// griddepcontrol (sm_90): programmatic dependent launch. Nothing happens before sm_90, nor in launches without the attribute.
#pragma once
#include "common/integers.cuh"

// Returns when the launch before this one in the stream has ended and what it wrote is there.
__device__ __forceinline__ void griddepcontrol_wait() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// The next launch of the stream may begin once every block of this one has come here or ended.
__device__ __forceinline__ void griddepcontrol_launch_dependents() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}
