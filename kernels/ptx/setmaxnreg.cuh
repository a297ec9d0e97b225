// setmaxnreg (sm_90a): registers of each thread from here on, 24 to 256 in steps of 8, the same in all warps of a warpgroup. dec gives registers to the
// block's pool, inc waits until the pool has them; new ones hold rubbish. Needs __launch_bounds__.
#pragma once
#include "common/integers.cuh"

#if __CUDA_ARCH_FEAT_SM90_ALL
template <u32 registers>
__device__ __forceinline__ void setmaxnreg_dec() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" :: "n"(registers));
}

template <u32 registers>
__device__ __forceinline__ void setmaxnreg_inc() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" :: "n"(registers));
}
#endif
