// The words that CUDA C++ adds to C++.
#pragma once
#include "emulated/seam.h"

// What __builtin_source_location() fills in.
namespace std {
struct source_location {
    struct __impl {
        const char* _M_file_name;
        const char* _M_function_name;
        unsigned _M_line;
        unsigned _M_column;
    };
};
}

#define EMULATED_HERE __builtin_source_location()
#define EMULATED_INLINE inline __attribute__((always_inline))

#define __CUDACC__ 1
#define __CUDACC_RTC__ 1
#define __NVCC__ 1
#define __host__
#define __device__
#define __global__ __attribute__((visibility("default"), noinline))
#define __constant__ static
// One block runs at a time, so that its shared variables may stand in the object itself; the loader finds them by their symbols.
#define __shared__ static
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __restrict__ __restrict
#define __align__(bytes) __attribute__((aligned(bytes)))
// The bounds are read from the source by the compiler's host half, which registers them.
#define __launch_bounds__(...)
#define __maxnreg__(...)
#define __cluster_dims__(...)

using size_t = decltype(sizeof(0));

struct __align__(2) char2 { signed char x, y; };
struct __align__(4) char4 { signed char x, y, z, w; };
struct __align__(2) uchar2 { unsigned char x, y; };
struct __align__(4) uchar4 { unsigned char x, y, z, w; };
struct __align__(4) short2 { short x, y; };
struct __align__(8) short4 { short x, y, z, w; };
struct __align__(4) ushort2 { unsigned short x, y; };
struct __align__(8) ushort4 { unsigned short x, y, z, w; };
struct __align__(8) int2 { int x, y; };
struct int3 { int x, y, z; };
struct __align__(16) int4 { int x, y, z, w; };
struct __align__(8) uint2 { unsigned x, y; };
struct uint3 { unsigned x, y, z; };
struct __align__(16) uint4 { unsigned x, y, z, w; };
struct __align__(8) float2 { float x, y; };
struct float3 { float x, y, z; };
struct __align__(16) float4 { float x, y, z, w; };
struct __align__(16) double2 { double x, y; };
struct __align__(16) longlong2 { long long x, y; };
struct __align__(16) ulonglong2 { unsigned long long x, y; };

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

EMULATED_INLINE int2 make_int2(int x, int y) { return {x, y}; }
EMULATED_INLINE int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
EMULATED_INLINE uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
EMULATED_INLINE uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
EMULATED_INLINE float2 make_float2(float x, float y) { return {x, y}; }
EMULATED_INLINE float3 make_float3(float x, float y, float z) { return {x, y, z}; }
EMULATED_INLINE float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

#define threadIdx (uint3{emulated_index(0), emulated_index(1), emulated_index(2)})
#define blockIdx (uint3{emulated_index(3), emulated_index(4), emulated_index(5)})
#define blockDim (dim3{emulated_index(6), emulated_index(7), emulated_index(8)})
#define gridDim (dim3{emulated_index(9), emulated_index(10), emulated_index(11)})
#define warpSize 32
