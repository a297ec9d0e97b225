// Bytes into shared memory by a bulk copy, doubled there, and out again by another one. MISTAKE plants one; 0 is right, and so is 13, which writes byte by
// byte. 64 threads.
#include "common/integers.cuh"
#include "ptx/cp_async_bulk.cuh"
#include "ptx/fence.cuh"
#include "ptx/mbarrier.cuh"
#include "ptx/shared_memory.cuh"

constexpr u32 kMisaligned = 1, kReadBeforeTheWait = 2, kOwnWriteNotFenced = 3, kNotInitialised = 4, kTooManyArrivals = 5, kOverwritten = 6, kOutOfBounds = 7,
              kNotWaitedAtAll = 8, kReadBeforeItIsWritten = 9, kInitialisedTwice = 10, kNotFenced = 11, kBytesNotFenced = 12, kBytes = 13;

constexpr u32 kCount = 256;

struct Args {
    u32* data;      // [kCount]
    u32* result;    // [kCount]
};

static_assert(sizeof(Args) == 16, "as the host has it");

extern "C" __global__ void __launch_bounds__(64) bulk_copy(const __grid_constant__ Args args) {
    __shared__ u64 barrier;
    __shared__ __align__(128) u32 values[kCount];
    const u32 full = cvta_to_shared(&barrier);
    if (threadIdx.x == 0) {
        if (MISTAKE == kOwnWriteNotFenced)
            args.data[3] = 3;
        if (MISTAKE != kNotInitialised)
            mbarrier_init(full, 1);
        if (MISTAKE == kInitialisedTwice)
            mbarrier_init(full, 1);
        fence_mbarrier_init();
        mbarrier_arrive_expect_tx(full, sizeof(values));
        if (MISTAKE == kOverwritten)
            barrier = 0;
        if (MISTAKE == kTooManyArrivals)
            mbarrier_arrive(full);
        cp_async_bulk_load(cvta_to_shared(values), args.data + (MISTAKE == kMisaligned ? 1 : MISTAKE == kOutOfBounds ? 4 : 0), sizeof(values), full);
    }
    __syncthreads();
    if (MISTAKE == kNotWaitedAtAll)
        return;
    u32 sum = 0;
    if (MISTAKE == kReadBeforeTheWait)
        sum = values[threadIdx.x];
    while (!mbarrier_try_wait_parity(full, 0)) {}
    for (u32 i = threadIdx.x; i < kCount; i += 64) {
        const u32 doubled = 2 * values[i] + sum;
        if (MISTAKE == kBytes || MISTAKE == kBytesNotFenced)
            for (u32 byte = 0; byte < 4; byte++)
                reinterpret_cast<volatile u8*>(values + i)[byte] = (u8)(doubled >> 8 * byte);
        else
            values[i] = doubled;
    }
    if (MISTAKE != kNotFenced && MISTAKE != kBytesNotFenced)
        fence_proxy_async_shared_cta();
    __syncthreads();
    if (threadIdx.x == 0) {
        cp_async_bulk_store(args.result, cvta_to_shared(values), sizeof(values));
        cp_async_bulk_commit_group();
        if (MISTAKE == kReadBeforeItIsWritten) {
            cp_async_bulk_wait_group_read<0>();
            args.data[0] = args.result[0];
        }
        cp_async_bulk_wait_group<0>();
        args.data[0] = args.result[1];
        mbarrier_inval(full);
    }
}
