// Four steps of wgmma over K = 64 on a given image of shared memory; FORM: 0 m64n8, 1 m64n64, 2 m64n64 with A in registers,
// 3 the same, with the mistake that A is overwritten before the wait. 128 threads.
#include "common/integers.cuh"
#include "ptx/fence.cuh"
#include "ptx/shared_memory.cuh"
#include "ptx/wgmma.cuh"

constexpr u32 kSteps = 4, kColumns = FORM == 0 ? 8 : 64;

struct Args {
    const u32* shared;          // [words]: from shared address 0 on
    const u32* a_registers;     // [128, kSteps, 4]
    float* d;                   // [128, kColumns / 2]
    u64 a[kSteps];              // descriptors, where the image begins at 0
    u64 b[kSteps];
    u32 words;
};

static_assert(sizeof(Args) == 96, "as the host has it");

extern "C" __global__ void __launch_bounds__(128) wgmma_case(const __grid_constant__ Args args) {
    u32* image = reinterpret_cast<u32*>(dynamic_shared());
    for (u32 i = threadIdx.x; i < args.words; i += 128)
        image[i] = args.shared[i];
    fence_proxy_async_shared_cta();
    __syncthreads();
    const u64 base = cvta_to_shared(image) >> 4;
    float d[kColumns / 2] = {};
#if FORM >= 2
    u32 a[kSteps][4];
#pragma unroll
    for (u32 i = 0; i < kSteps * 4; i++)
        a[i / 4][i % 4] = args.a_registers[threadIdx.x * kSteps * 4 + i];
#endif
    wgmma_fence();
#pragma unroll
    for (u32 step = 0; step < kSteps; step++) {
#if FORM == 0
        wgmma_m64n8k16_f32_bf16(d, args.a[step] + base, args.b[step] + base);
#elif FORM == 1
        wgmma_m64n64k16_f32_bf16(d, args.a[step] + base, args.b[step] + base);
#else
        wgmma_m64n64k16_f32_bf16(d, a[step], args.b[step] + base);
#endif
    }
    wgmma_commit_group();
#if FORM == 3
    a[kSteps - 1][2] = 0;
#endif
    wgmma_wait_group<0>();
    for (u32 i = 0; i < kColumns / 2; i++)
        args.d[threadIdx.x * (kColumns / 2) + i] = d[i];
}
