// Host version, for the emulated device: same functions as kernels/ptx/griddepcontrol.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

__device__ __forceinline__ void griddepcontrol_wait() {
#if __CUDA_ARCH__ >= 900
    emulated_grid_wait();
#endif
}

__device__ __forceinline__ void griddepcontrol_launch_dependents() {
#if __CUDA_ARCH__ >= 900
    emulated_grid_launch_dependents();
#endif
}
