// wgmma (sm_90a): D += A · B by a warpgroup, 64 rows and 16 of k an instruction; all four warps execute the same. Operands in shared memory are given by
// descriptors (matrix_descriptor). Accumulator i of thread t: row 16 (t / 32) + t % 32 / 4 + 8 (i / 2 % 2), column 8 (i / 4) + 2 (t % 4) + i % 2. A in
// registers: the same rows, columns 2 (t % 4) + i % 2 + 8 (i / 4), two to a register.
// Registers belong to the instruction until a wait_group has returned; shared memory, too. wgmma_fence comes before the first one and wherever the thread
// has touched registers that it uses. What a thread wrote to shared memory needs fence_proxy_async before the barrier. Accumulators start at zero: a
// predicate for "do not accumulate" makes the compiler wait behind every instruction.
#pragma once
#include "common/integers.cuh"

#if __CUDA_ARCH_FEAT_SM90_ALL
// Of a tile with the 128-byte swizzle that begins at a multiple of 1024. k-major: rows of 128 bytes, eight of them every `stride_bytes`; the next 16 of k
// are 32 bytes on. Transposed (m- or n-major): rows of 64 elements, eight k every `stride_bytes`, the next 64 elements `leading_bytes` on.
__device__ __forceinline__ u64 matrix_descriptor(u32 shared_address, u32 leading_bytes, u32 stride_bytes) {
    return (u64)((shared_address & 0x3FFFF) >> 4) | (u64)(leading_bytes >> 4) << 16 | (u64)(stride_bytes >> 4) << 32 | 1ull << 62;
}

__device__ __forceinline__ void wgmma_fence() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

__device__ __forceinline__ void wgmma_commit_group() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

// Waits until at most `pending` of the newest groups are under way.
template <u32 pending>
__device__ __forceinline__ void wgmma_wait_group() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" :: "n"(pending) : "memory");
}

// Both operands in shared memory.
template <bool transposed_a = false, bool transposed_b = false>
__device__ __forceinline__ void wgmma_m64n8k16_f32_bf16(float (&d)[4], u64 a, u64 b) {
    asm volatile("wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%0, %1, %2, %3}, "
                 "%4, %5, 1, 1, 1, %6, %7;"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "l"(a), "l"(b), "n"((int)transposed_a), "n"((int)transposed_b));
}

// The wider ones differ in nothing but the number of accumulators.
#define WGMMA_NAMES_32 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, " \
    "%27, %28, %29, %30, %31"
#define WGMMA_NAMES_40 WGMMA_NAMES_32 ", %32, %33, %34, %35, %36, %37, %38, %39"
#define WGMMA_NAMES_64 WGMMA_NAMES_40 ", %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define WGMMA_NAMES_80 WGMMA_NAMES_64 ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79"
#define WGMMA_NAMES_88 WGMMA_NAMES_80 ", %80, %81, %82, %83, %84, %85, %86, %87"
#define WGMMA_NAMES_96 WGMMA_NAMES_88 ", %88, %89, %90, %91, %92, %93, %94, %95"
#define WGMMA_NAMES_120 WGMMA_NAMES_96 ", %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, %112, %113, " \
    "%114, %115, %116, %117, %118, %119"
#define WGMMA_NAMES_128 WGMMA_NAMES_120 ", %120, %121, %122, %123, %124, %125, %126, %127"
#define WGMMA_SUMS_8(first)                                                                                                       \
    "+f"(d[first]), "+f"(d[first + 1]), "+f"(d[first + 2]), "+f"(d[first + 3]), "+f"(d[first + 4]), "+f"(d[first + 5]), "+f"(d[first + 6]), "+f"(d[first + 7])
#define WGMMA_SUMS_32 WGMMA_SUMS_8(0), WGMMA_SUMS_8(8), WGMMA_SUMS_8(16), WGMMA_SUMS_8(24)
#define WGMMA_SUMS_40 WGMMA_SUMS_32, WGMMA_SUMS_8(32)
#define WGMMA_SUMS_64 WGMMA_SUMS_40, WGMMA_SUMS_8(40), WGMMA_SUMS_8(48), WGMMA_SUMS_8(56)
#define WGMMA_SUMS_80 WGMMA_SUMS_64, WGMMA_SUMS_8(64), WGMMA_SUMS_8(72)
#define WGMMA_SUMS_88 WGMMA_SUMS_80, WGMMA_SUMS_8(80)
#define WGMMA_SUMS_96 WGMMA_SUMS_88, WGMMA_SUMS_8(88)
#define WGMMA_SUMS_120 WGMMA_SUMS_96, WGMMA_SUMS_8(96), WGMMA_SUMS_8(104), WGMMA_SUMS_8(112)
#define WGMMA_SUMS_128 WGMMA_SUMS_120, WGMMA_SUMS_8(120)

#define WGMMA_SHARED(columns, sums, a_place, b_place, transposed_a_place, transposed_b_place, type)                        \
    template <bool transposed_a = false, bool transposed_b = false>                                                        \
    __device__ __forceinline__ void wgmma_m64n##columns##k16_f32_##type(float (&d)[sums], u64 a, u64 b) {                  \
        asm volatile("wgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." #type "." #type " {" WGMMA_NAMES_##sums "}, " \
                     "%" #a_place ", %" #b_place ", 1, 1, 1, %" #transposed_a_place ", %" #transposed_b_place ";"          \
                     : WGMMA_SUMS_##sums                                                                                   \
                     : "l"(a), "l"(b), "n"((int)transposed_a), "n"((int)transposed_b));                                    \
    }

WGMMA_SHARED(64, 32, 32, 33, 34, 35, bf16)
WGMMA_SHARED(64, 32, 32, 33, 34, 35, f16)
WGMMA_SHARED(80, 40, 40, 41, 42, 43, bf16)
WGMMA_SHARED(80, 40, 40, 41, 42, 43, f16)
WGMMA_SHARED(128, 64, 64, 65, 66, 67, bf16)
WGMMA_SHARED(128, 64, 64, 65, 66, 67, f16)
WGMMA_SHARED(160, 80, 80, 81, 82, 83, bf16)
WGMMA_SHARED(160, 80, 80, 81, 82, 83, f16)
WGMMA_SHARED(176, 88, 88, 89, 90, 91, bf16)
WGMMA_SHARED(176, 88, 88, 89, 90, 91, f16)
WGMMA_SHARED(192, 96, 96, 97, 98, 99, bf16)
WGMMA_SHARED(192, 96, 96, 97, 98, 99, f16)
WGMMA_SHARED(240, 120, 120, 121, 122, 123, bf16)
WGMMA_SHARED(240, 120, 120, 121, 122, 123, f16)
WGMMA_SHARED(256, 128, 128, 129, 130, 131, bf16)
WGMMA_SHARED(256, 128, 128, 129, 130, 131, f16)

#undef WGMMA_SHARED

// A in registers.
template <bool transposed_b = false>
__device__ __forceinline__ void wgmma_m64n64k16_f32_bf16(float (&d)[32], const u32 (&a)[4], u64 b) {
    asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
                 "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
                 "{%32, %33, %34, %35}, %36, 1, 1, 1, %37;"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]),
                   "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]),
                   "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]),
                   "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "n"((int)transposed_b));
}
#endif
