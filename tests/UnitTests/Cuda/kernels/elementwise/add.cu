// y[i] += x[i]. One thread per element; bound by bytes. For tests of the compiler and the launch only.
#include "common/index.cuh"

struct AddArgs
{
    const float* x; // [count]
    float* y;       // [count]
    long long count;
};

extern "C" __global__ void add(const __grid_constant__ AddArgs args)
{
    const long long index = global_index();
    if (index < args.count) args.y[index] += args.x[index];
}
