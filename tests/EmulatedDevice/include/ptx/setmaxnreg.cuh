// Host version, for the emulated device: same functions as kernels/ptx/setmaxnreg.cuh.
#pragma once
#include "common/integers.cuh"
#include "emulated/seam.h"

#if __CUDA_ARCH_FEAT_SM90_ALL
template <u32 registers>
__device__ __forceinline__ void setmaxnreg_dec(emulated_site site = EMULATED_HERE) {
    emulated_setmaxnreg(false, registers, site);
}

template <u32 registers>
__device__ __forceinline__ void setmaxnreg_inc(emulated_site site = EMULATED_HERE) {
    emulated_setmaxnreg(true, registers, site);
}
#endif
