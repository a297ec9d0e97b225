// out = A · B by TMA and wgmma, as a prefill kernel does it: a producer, a ring of stages, two consumer warpgroups, a store through shared memory. MISTAKE
// plants one; 0 is right. PENDING blocks of K are multiplied while the next one is waited for: 1 is right too, but NVRTC 12.4 serialises it. A [128, K] is k-major, B [K, 128] n-major; one block of 384 threads.
#include "common/integers.cuh"
#include "ptx/barrier.cuh"
#include "ptx/cp_async_bulk.cuh"
#include "ptx/cvt.cuh"
#include "ptx/fence.cuh"
#include "ptx/mbarrier.cuh"
#include "ptx/setmaxnreg.cuh"
#include "ptx/shared_memory.cuh"
#include "ptx/wgmma.cuh"

constexpr u32 kOffsetsExchanged = 1, kStageMisaligned = 2, kAdvancedInBytes = 3, kExpectTooSmall = 4, kExpectTooLarge = 5, kParityNotFlipped = 6,
              kNoProxyFence = 7, kReleasedTooEarly = 8, kNoFullWait = 9, kNoFinalWait = 10, kNoInitFence = 11, kNoWgmmaFence = 12, kNoReadWait = 13,
              kTooManyRegisters = 14, kNoTryLoop = 15, kChangedWithoutFence = 16, kStagingNotWaited = 17, kLeadingCopied = 18;

constexpr u32 kStages = 3, kRows = 128, kDepth = 64, kRowBytes = 128, kPanelBytes = 64 * kRowBytes;
constexpr u32 kABytes = kRows * kRowBytes, kStageBytes = kABytes + 2 * kPanelBytes, kConsumers = 256;

struct Args {
    TensorMap a;        // box 64 of K, 128 rows
    TensorMap b;        // box 64 columns, 64 of K
    TensorMap out;      // box 64 columns, 128 rows
    u32 blocks;         // of 64 of K
};

static_assert(sizeof(Args) == 448, "as the host has it");

__device__ __forceinline__ void wait(u32 barrier, u32 parity) {
    while (!mbarrier_try_wait_parity(barrier, parity)) {}
}

__device__ __forceinline__ void produce(const Args& args, u32 tiles, u32 full, u32 empty) {
    constexpr u32 kExpected = MISTAKE == kExpectTooSmall ? kStageBytes - kPanelBytes : MISTAKE == kExpectTooLarge ? kStageBytes + kPanelBytes : kStageBytes;
#pragma unroll 1
    for (u32 block = 0; block < args.blocks; block++) {
        const u32 stage = block % kStages, tile = tiles + stage * kStageBytes, ready = full + stage * 8;
        const i32 k = (i32)(block * kDepth);
        wait(empty + stage * 8, (block / kStages & 1) ^ 1);
        mbarrier_arrive_expect_tx(ready, kExpected);
        cp_async_bulk_tensor_2d_load(tile, &args.a, k, 0, ready);
        cp_async_bulk_tensor_2d_load(tile + kABytes, &args.b, 0, k, ready);
        cp_async_bulk_tensor_2d_load(tile + kABytes + kPanelBytes, &args.b, 64, k, ready);
    }
}

__device__ __forceinline__ void multiply(float (&d)[64], u32 tile, u32 group) {
    constexpr u32 kLeading = MISTAKE == kOffsetsExchanged ? 1024 : MISTAKE == kLeadingCopied ? 16 : kPanelBytes;
    constexpr u32 kStride = MISTAKE == kOffsetsExchanged ? kPanelBytes : 1024;
    constexpr u32 kUnit = MISTAKE == kAdvancedInBytes ? 1 : 16;
    const u64 a = matrix_descriptor(tile + group * 64 * kRowBytes, 16, 1024), b = matrix_descriptor(tile + kABytes, kLeading, kStride);
    if (MISTAKE != kNoWgmmaFence)
        wgmma_fence();
#pragma unroll
    for (u32 step = 0; step < kDepth / 16; step++)
        wgmma_m64n128k16_f32_bf16<false, true>(d, a + step * 32 / kUnit, b + step * 16 * kRowBytes / 16);
    wgmma_commit_group();
}

__device__ __forceinline__ void store(const Args& args, const float (&d)[64], u8* staging, u32 group) {
    const u32 thread = threadIdx.x % 128;
#pragma unroll
    for (u32 i = 0; i < 64; i += 2) {
        const u32 row = group * 64 + 16 * (thread / 32) + thread % 32 / 4 + 8 * (i / 2 % 2), column = 8 * (i / 4) + 2 * (thread % 4);
        const u32 chunk = (column % 64 / 8) ^ (row & 7);
        *reinterpret_cast<u32*>(staging + column / 64 * kABytes + row * kRowBytes + chunk * 16 + column % 8 * 2) = cvt_rn_bf16x2_f32(d[i + 1], d[i]);
    }
    if (MISTAKE != kNoProxyFence)
        fence_proxy_async_shared_cta();
    bar_sync(1, kConsumers);
    if (thread == 0 && group == 0) {
        cp_async_bulk_tensor_2d_store(&args.out, 0, 0, cvta_to_shared(staging));
        cp_async_bulk_tensor_2d_store(&args.out, 64, 0, cvta_to_shared(staging) + kABytes);
        cp_async_bulk_commit_group();
        if (MISTAKE == kStagingNotWaited)
            *reinterpret_cast<u32*>(staging) = 0;
        if (MISTAKE != kNoReadWait)
            cp_async_bulk_wait_group_read<0>();
    }
}

__device__ __forceinline__ void consume(const Args& args, u32 tiles, u8* staging, u32 full, u32 empty) {
    const u32 group = threadIdx.x / 128 - 1;
    float d[64] = {};
#pragma unroll 1
    for (u32 block = 0; block < args.blocks; block++) {
        const u32 stage = block % kStages, parity = MISTAKE == kParityNotFlipped ? 0 : block / kStages & 1;
        if (MISTAKE == kNoTryLoop)
            mbarrier_try_wait_parity(full + stage * 8, parity);
        else if (MISTAKE != kNoFullWait || block == 0)
            wait(full + stage * 8, parity);
        multiply(d, tiles + stage * kStageBytes, group);
        if (MISTAKE == kReleasedTooEarly && threadIdx.x % 128 == 0)
            mbarrier_arrive(empty + stage * 8);
        wgmma_wait_group<PENDING>();
        if (MISTAKE != kReleasedTooEarly && block >= PENDING && threadIdx.x % 128 == 0)
            mbarrier_arrive(empty + (block - PENDING) % kStages * 8);
    }
    if (MISTAKE == kChangedWithoutFence) {
        wgmma_wait_group<0>();
        d[0] += 1.0f;
        wgmma_m64n128k16_f32_bf16<false, true>(d, matrix_descriptor(tiles, 16, 1024), matrix_descriptor(tiles + kABytes, kPanelBytes, 1024));
        wgmma_commit_group();
    }
    if (MISTAKE != kNoFinalWait)
        wgmma_wait_group<0>();
    store(args, d, staging, group);
}

extern "C" __global__ void __launch_bounds__(384, 1) planted_pipeline(const __grid_constant__ Args args) {
    __shared__ u64 barriers[2 * kStages];
    u8* tiles = dynamic_shared() + (MISTAKE == kStageMisaligned ? 256 : 0);
    const u32 full = cvta_to_shared(barriers), empty = full + kStages * 8;
    if (threadIdx.x == 0) {
        for (u32 stage = 0; stage < kStages; stage++) {
            mbarrier_init(full + stage * 8, 1);
            mbarrier_init(empty + stage * 8, 2);
        }
        if (MISTAKE != kNoInitFence)
            fence_mbarrier_init();
    }
    __syncthreads();
    if (threadIdx.x < 128) {
        setmaxnreg_dec<40>();
        if (threadIdx.x == 0)
            produce(args, cvta_to_shared(tiles), full, empty);
    } else {
        setmaxnreg_inc<MISTAKE == kTooManyRegisters ? 240 : 232>();
        consume(args, cvta_to_shared(tiles), dynamic_shared() + kStages * kStageBytes + 1024, full, empty);
    }
}
