// Multiplies the same small matrices again and again, from registers into registers: how fast this device's tensor cores (f32: its multiply-adds) can be
// kept busy by mma.sync, which is the limit of every kernel that is bounded by arithmetic. From sm_90 on wgmma can go beyond it.
// Each warp adds A · Bᵀ up `steps` times: 64 x 32 sums, as a warp of linear_prefill has. A lane stores what its sums come to together, so that no
// product is left out. f32 multiplies one column of K a step, the 16-bit types sixteen.
#include "common/types.cuh"
#include "ptx/ld.cuh"
#if !PLAIN_ARITHMETIC
#include "gemm/multiply_step.cuh"
#endif

struct Args {
    const STORAGE* a;       // [64, 16], f32: [64]; aligned to 4 bytes
    const STORAGE* b;       // [32, 16], f32: [32]; aligned to 4 bytes
    float* sums;            // [threads of the grid]
    u32 steps;
    u32 reserved;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");
static_assert(PLAIN_ARITHMETIC == (sizeof(STORAGE) == 4), "tensor cores multiply 16-bit numbers");

#if PLAIN_ARITHMETIC
constexpr u32 kSide = 8;    // a lane has 8 x 8 of the sums: lanes stand 8 down, 4 across

__device__ __forceinline__ float multiply(const Args& args, u32 lane) {
    float a[kSide], b[kSide], sums[kSide][kSide] = {};
#pragma unroll
    for (u32 i = 0; i < kSide; i++) {
        a[i] = args.a[lane / 4 * kSide + i];
        b[i] = args.b[lane % 4 * kSide + i];
    }
#pragma unroll 4
    for (u32 step = 0; step < args.steps; step++)
#pragma unroll
        for (u32 row = 0; row < kSide; row++)
#pragma unroll
            for (u32 column = 0; column < kSide; column++)
                // fmaf, or the compiler would multiply once and add again and again.
                sums[row][column] = fmaf(a[row], b[column], sums[row][column]);
    float all = 0.0f;
#pragma unroll
    for (u32 row = 0; row < kSide; row++)
#pragma unroll
        for (u32 column = 0; column < kSide; column++)
            all += sums[row][column];
    return all;
}
#else
constexpr u32 kDepth = 16, kTilesDown = 4, kTilesAcross = 4;

__device__ __forceinline__ u32 pair_at(const STORAGE* matrix, u32 row, u32 column) {
    return ld_global_nc_u32(matrix + row * kDepth + column);
}

__device__ __forceinline__ float multiply(const Args& args, u32 lane) {
    u32 a[kTilesDown][4], b[kTilesAcross][2];
    float sums[kTilesDown][kTilesAcross][4] = {};
    const u32 row = lane / 4, column = lane % 4 * 2;
#pragma unroll
    for (u32 down = 0; down < kTilesDown; down++)
#pragma unroll
        for (u32 part = 0; part < 4; part++)
            a[down][part] = pair_at(args.a, down * 16 + part % 2 * 8 + row, part / 2 * 8 + column);
#pragma unroll
    for (u32 across = 0; across < kTilesAcross; across++)
#pragma unroll
        for (u32 part = 0; part < 2; part++)
            b[across][part] = pair_at(args.b, across * 8 + row, part * 8 + column);
#pragma unroll 4
    for (u32 step = 0; step < args.steps; step++)
#pragma unroll
        for (u32 down = 0; down < kTilesDown; down++)
#pragma unroll
            for (u32 across = 0; across < kTilesAcross; across++)
                multiply_step<STORAGE>(sums[down][across], a[down], b[across][0], b[across][1]);
    float all = 0.0f;
#pragma unroll
    for (u32 down = 0; down < kTilesDown; down++)
#pragma unroll
        for (u32 across = 0; across < kTilesAcross; across++)
            all += sums[down][across][0] + sums[down][across][1] + (sums[down][across][2] + sums[down][across][3]);
    return all;
}
#endif

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS, BLOCKS_PER_SM) mma_rate(const __grid_constant__ Args args) {
    args.sums[(u64)blockIdx.x * BLOCK_THREADS + threadIdx.x] = multiply(args, threadIdx.x % kWarpLanes);
}
