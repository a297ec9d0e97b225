// One instruction, named by INSTRUCTION, once in one warp: registers and shared memory from the host, results back to it.
#include "common/integers.cuh"
#include "ptx/cp_async.cuh"
#include "ptx/cvt.cuh"
#include "ptx/dp4a.cuh"
#include "ptx/ldmatrix.cuh"
#include "ptx/lop3.cuh"
#include "ptx/mma.cuh"
#include "ptx/movmatrix.cuh"
#include "ptx/prmt.cuh"
#include "ptx/redux.cuh"
#include "ptx/shared_memory.cuh"
#include "ptx/shfl.cuh"
#include "ptx/stmatrix.cuh"
#include "ptx/vote.cuh"

constexpr u32 kSharedWords = 512;

struct Args {
    const u32* a;           // [32, 4]
    const u32* b;           // [32, 2]
    const u32* c;           // [32, 4]
    const u32* address;     // [32]; bytes in shared memory
    const u32* shared;      // [kSharedWords]
    u32* d;                 // [32, 4]
    u32* shared_after;      // [kSharedWords]
};

static_assert(sizeof(Args) == 56, "as the host has it");

extern "C" __global__ void __launch_bounds__(32) ptx_case(const __grid_constant__ Args args) {
    __shared__ __align__(16) u32 shared[kSharedWords];
    const u32 lane = threadIdx.x;
    for (u32 i = lane; i < kSharedWords; i += 32)
        shared[i] = args.shared[i];
    __syncthreads();
    const u32 a[4] = {args.a[lane * 4], args.a[lane * 4 + 1], args.a[lane * 4 + 2], args.a[lane * 4 + 3]};
    const u32 b[2] = {args.b[lane * 2], args.b[lane * 2 + 1]};
    u32 d[4] = {args.c[lane * 4], args.c[lane * 4 + 1], args.c[lane * 4 + 2], args.c[lane * 4 + 3]};
    const u32 address = cvta_to_shared(shared) + args.address[lane];
    float (&float_d)[4] = reinterpret_cast<float (&)[4]>(d);
    i32 (&int_d)[4] = reinterpret_cast<i32 (&)[4]>(d);
    u32 (&pair)[2] = reinterpret_cast<u32 (&)[2]>(d);
    const u32 (&a_pair)[2] = reinterpret_cast<const u32 (&)[2]>(a);
#if INSTRUCTION == 0
    mma_m16n8k16_f32_bf16(float_d, a, b[0], b[1]);
#elif INSTRUCTION == 1
    mma_m16n8k16_f32_f16(float_d, a, b[0], b[1]);
#elif INSTRUCTION == 2
    mma_m16n8k16_f16_f16(pair, a, b[0], b[1]);
#elif INSTRUCTION == 3
    mma_m16n8k8_f32_f16(float_d, a[0], a[1], b[0]);
#elif INSTRUCTION == 4
    mma_m16n8k8_f32_bf16(float_d, a[0], a[1], b[0]);
#elif INSTRUCTION == 5
    mma_m16n8k16_s32_s8(int_d, a[0], a[1], b[0]);
#elif INSTRUCTION == 6
    mma_m16n8k32_s32_s8(int_d, a, b[0], b[1]);
#elif INSTRUCTION == 10
    ldmatrix_x1(d[0], address);
#elif INSTRUCTION == 11
    ldmatrix_x1_trans(d[0], address);
#elif INSTRUCTION == 12
    ldmatrix_x2(pair, address);
#elif INSTRUCTION == 13
    ldmatrix_x2_trans(pair, address);
#elif INSTRUCTION == 14
    ldmatrix_x4(d, address);
#elif INSTRUCTION == 15
    ldmatrix_x4_trans(d, address);
#elif INSTRUCTION == 20
    stmatrix_x1(address, a[0]);
#elif INSTRUCTION == 21
    stmatrix_x1_trans(address, a[0]);
#elif INSTRUCTION == 22
    stmatrix_x2(address, a_pair);
#elif INSTRUCTION == 23
    stmatrix_x2_trans(address, a_pair);
#elif INSTRUCTION == 24
    stmatrix_x4(address, a);
#elif INSTRUCTION == 25
    stmatrix_x4_trans(address, a);
#elif INSTRUCTION == 30
    d[0] = movmatrix_trans(a[0]);
#elif INSTRUCTION == 40
    d[0] = shfl_sync_bfly(a[0], b[0], b[1]);
#elif INSTRUCTION == 41
    d[0] = shfl_sync_down(a[0], b[0], b[1]);
#elif INSTRUCTION == 42
    d[0] = shfl_sync_up(a[0], b[0], b[1]);
#elif INSTRUCTION == 43
    d[0] = shfl_sync_idx(a[0], b[0], b[1]);
#elif INSTRUCTION == 50
    d[0] = prmt(a[0], b[0], d[0]);
#elif INSTRUCTION == 51
    d[0] = lop3<TABLE>(a[0], b[0], d[0]);
#elif INSTRUCTION == 52
    d[0] = (u32)dp4a_s32_s32(a[0], b[0], (i32)d[0]);
#elif INSTRUCTION == 53
    d[0] = (u32)dp4a_u32_s32(a[0], b[0], (i32)d[0]);
#elif INSTRUCTION == 54
    d[0] = (u32)dp4a_s32_u32(a[0], b[0], (i32)d[0]);
#elif INSTRUCTION == 55
    d[0] = dp4a_u32_u32(a[0], b[0], d[0]);
#elif INSTRUCTION == 60
    d[0] = cvt_rn_bf16x2_f32(__uint_as_float(a[0]), __uint_as_float(b[0]));
#elif INSTRUCTION == 61
    d[0] = cvt_rn_f16x2_f32(__uint_as_float(a[0]), __uint_as_float(b[0]));
#elif INSTRUCTION == 62
    d[0] = (u32)cvt_rni_sat_s8_f32(__uint_as_float(a[0]));
#elif INSTRUCTION == 70
    d[0] = vote_sync_ballot(a[0] != 0);
#elif INSTRUCTION == 71
    d[0] = (u32)redux_sync_add((i32)a[0]);
#elif INSTRUCTION == 72
    d[0] = (u32)redux_sync_min((i32)a[0]);
#elif INSTRUCTION == 73
    d[0] = (u32)redux_sync_max((i32)a[0]);
#elif INSTRUCTION == 80
    // Each lane copies the same 16 bytes to a place of its own; b is how many of them there are.
    cp_async_cg_16(cvta_to_shared(shared + lane * 4), args.a, b[0]);
    cp_async_commit_group();
    cp_async_wait_group<0>();
#else
#error no such instruction
#endif
    __syncthreads();
    for (u32 i = 0; i < 4; i++)
        args.d[lane * 4 + i] = d[i];
    for (u32 i = lane; i < kSharedWords; i += 32)
        args.shared_after[i] = shared[i];
}
