// One box of a tensor of RANK dimensions into shared memory, and from there to the host. 32 threads.
#include "common/integers.cuh"
#include "ptx/cp_async_bulk.cuh"
#include "ptx/mbarrier.cuh"
#include "ptx/shared_memory.cuh"

struct Args {
    TensorMap map;
    u32* result;        // [bytes / 4]
    i32 x, y, z;
    u32 bytes;          // of the box
};

static_assert(sizeof(Args) == 192, "as the host has it");

extern "C" __global__ void __launch_bounds__(32) tma_case(const __grid_constant__ Args args) {
    __shared__ u64 barrier;
    const u32 full = cvta_to_shared(&barrier);
    if (threadIdx.x == 0) {
        mbarrier_init(full, 1);
        fence_mbarrier_init();
        mbarrier_arrive_expect_tx(full, args.bytes);
#if RANK == 2
        cp_async_bulk_tensor_2d_load(cvta_to_shared(dynamic_shared()), &args.map, args.x, args.y, full);
#else
        cp_async_bulk_tensor_3d_load(cvta_to_shared(dynamic_shared()), &args.map, args.x, args.y, args.z, full);
#endif
    }
    __syncthreads();
    while (!mbarrier_try_wait_parity(full, 0)) {}
    for (u32 i = threadIdx.x; i < args.bytes / 4; i += 32)
        args.result[i] = reinterpret_cast<const u32*>(dynamic_shared())[i];
}
