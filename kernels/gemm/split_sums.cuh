// Sums of a tile that several blocks have parts of: each leaves its part in memory, and the last to arrive adds them in their order, so that what comes out
// does not depend on who was last.
#pragma once
#include "common/arrive_last.cuh"
#include "common/types.cuh"
#include "ptx/ld.cuh"
#include "ptx/st.cuh"

// Of `threads` threads with `count` sums each; blockIdx.z of gridDim.z is the part.
template <u32 threads, u32 count>
class SplitSums {
public:
    static_assert(count % 4 == 0, "moved four at a time");

    // parts: [tiles, gridDim.z, count / 4, threads, 4].
    __device__ __forceinline__ SplitSums(float* parts, u32 tile, u32 thread) : first(parts + (i64)tile * gridDim.z * kPart + thread * 4) {}

    __device__ __forceinline__ void leave(const float (&sums)[count]) const {
        float* place = first + (i64)blockIdx.z * kPart;
#pragma unroll
        for (u32 i = 0; i < count; i += 4)
            st_global_v4(place + i * threads, {__float_as_uint(sums[i]), __float_as_uint(sums[i + 1]), __float_as_uint(sums[i + 2]), __float_as_uint(sums[i + 3])});
    }

    // After arrive_last.
    __device__ __forceinline__ void gather(float (&sums)[count]) const {
#pragma unroll
        for (u32 i = 0; i < count; i++)
            sums[i] = 0.0f;
#pragma unroll 1
        for (u32 part = 0; part < gridDim.z; part++) {
            const float* place = first + (i64)part * kPart;
#pragma unroll
            for (u32 i = 0; i < count; i += 4) {
                const uint4 bits = ld_global_v4(place + i * threads);
                sums[i] += __uint_as_float(bits.x);
                sums[i + 1] += __uint_as_float(bits.y);
                sums[i + 2] += __uint_as_float(bits.z);
                sums[i + 3] += __uint_as_float(bits.w);
            }
        }
    }

private:
    static constexpr u32 kPart = count * threads;

    float* first;
};
