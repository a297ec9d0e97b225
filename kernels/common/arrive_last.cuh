// Who of several blocks finishes what all of them began.
#pragma once
#include "common/integers.cuh"
#include "ptx/atom.cuh"

// Whether the block is the last of `parts` to arrive: it sees what the others wrote before. By all threads of the block; `before` is shared memory.
// arrivals: zero before the first block and after the last.
__device__ __forceinline__ bool arrive_last(u32* arrivals, u32 parts, u32& before) {
    __syncthreads();
    if (threadIdx.x == 0) {
        before = atom_add_acq_rel_gpu_u32(arrivals, 1);
        if (before == parts - 1)
            *arrivals = 0;
    }
    __syncthreads();
    return before == parts - 1;
}
