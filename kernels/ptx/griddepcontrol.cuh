// griddepcontrol: programmatic dependent launch. Before wait, nothing that the previous kernel writes may be read, and nothing that it reads
// written. Below sm_90 kernels run one after the other and both do nothing.
#pragma once
#include "common/integers.cuh"

__device__ __forceinline__ void griddepcontrol_wait() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

__device__ __forceinline__ void griddepcontrol_launch_dependents() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}
