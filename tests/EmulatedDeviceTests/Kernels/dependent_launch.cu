// A step of a chain of dependent launches: what it does, and in which order, is chosen by bits. 64 threads, one block.
#include "common/integers.cuh"
#include "ptx/griddepcontrol.cuh"

constexpr u32 kTriggerFirst = 1, kWaitFirst = 2, kRead = 4, kWrite = 8, kWaitLast = 16;

struct Args {
    u32* data;      // [1]
    u32* result;    // [64]
    u32 actions;
};

static_assert(sizeof(Args) == 24, "as the host has it");

extern "C" __global__ void __launch_bounds__(64) dependent_launch(const __grid_constant__ Args args) {
    if (args.actions & kTriggerFirst)
        griddepcontrol_launch_dependents();
    if (args.actions & kWaitFirst)
        griddepcontrol_wait();
    u32 value = 0;
    if (args.actions & kRead)
        value = *args.data;
    __syncthreads();
    if (args.actions & kWrite && threadIdx.x == 0)
        *args.data = 7;
    if (args.actions & kWaitLast)
        griddepcontrol_wait();
    if (args.result != nullptr)
        args.result[threadIdx.x] = value;
}
