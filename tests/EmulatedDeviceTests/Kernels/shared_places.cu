// Where shared memory lies: addresses of a variable and of dynamic shared memory, as instructions and as pointers see them.
#include "common/integers.cuh"
#include "ptx/shared_memory.cuh"

struct Args {
    u64* result;    // [4]
};

static_assert(sizeof(Args) == 8, "as the host has it");

extern "C" __global__ void __launch_bounds__(32) shared_places(const __grid_constant__ Args args) {
    __shared__ __align__(16) u8 variable[STATIC_BYTES];
    if (threadIdx.x != 0)
        return;
    args.result[0] = cvta_to_shared(variable);
    args.result[1] = cvta_to_shared(dynamic_shared());
    args.result[2] = (u64)variable;
    args.result[3] = (u64)dynamic_shared();
}
