#pragma once

// This thread's place in a one-dimensional grid.
__device__ inline long long global_index()
{
    return static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
}
