// Rows of weights as 8-bit integers with one scale a row: scale = max |w| / 127, q = w / scale, rounded to nearest even and kept within ±127. A row of zeros,
// or one so small that its scale is zero, becomes zeros with scale 0. Divisions are IEEE: Quantization/Int8Rows.cs gives the same bits.
// One block a row, which it reads twice, the second time from cache; bounded by bytes, once when a model is loaded. Values are finite: that is checked
// where they are read.
#include "common/packed.cuh"
#include "common/reduce.cuh"

constexpr u32 kPack = PACK;      // elements of one access: 4 where rows are a multiple of it, else 1
constexpr u32 kThreads = BLOCK_THREADS;
constexpr u32 kLimit = 127;

struct Args {
    const STORAGE* values;  // [rows, columns]
    i8* quantized;          // [rows, columns]
    float* scales;          // [rows]
    u32 columns;            // a multiple of the pack
};

static_assert(kPack == 1 || kPack == 4, "one load and one store");
static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");

__device__ __forceinline__ void load(float (&values)[4], const STORAGE* source) { load4(values, source); }
__device__ __forceinline__ void load(float (&values)[1], const STORAGE* source) { load1(values, source); }

__device__ __forceinline__ u32 quantize(float value, float scale) {
    // -127 as well, never -128: the range is symmetric.
    const float steps = fminf(fmaxf(value / scale, -(float)kLimit), (float)kLimit);
    return (u32)cvt_rni_sat_s8_f32(steps) & 0xFFu;
}

__device__ __forceinline__ void store(i8* destination, const u32 (&bytes)[4]) {
    *(u32*)destination = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | bytes[3] << 24;
}

__device__ __forceinline__ void store(i8* destination, const u32 (&bytes)[1]) {
    *destination = (i8)bytes[0];
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) quantize_int8(const __grid_constant__ Args args) {
    __shared__ float partials[kThreads / kWarpLanes];
    const u64 row = blockIdx.x;
    const u32 columns = args.columns;
    const STORAGE* values = args.values + row * columns;
    i8* quantized = args.quantized + row * columns;
    float largest = 0.0f;
    for (u32 column = threadIdx.x * kPack; column < columns; column += kThreads * kPack) {
        float some[kPack];
        load(some, values + column);
#pragma unroll
        for (u32 i = 0; i < kPack; i++)
            largest = fmaxf(largest, fabsf(some[i]));
    }
    largest = block_reduce<Maximum, kThreads>(largest, partials);
    const float scale = largest / (float)kLimit;
    if (threadIdx.x == 0)
        args.scales[row] = scale;
    for (u32 column = threadIdx.x * kPack; column < columns; column += kThreads * kPack) {
        float some[kPack];
        u32 bytes[kPack];
        load(some, values + column);
#pragma unroll
        for (u32 i = 0; i < kPack; i++)
            bytes[i] = scale > 0.0f ? quantize(some[i], scale) : 0;
        store(quantized + column, bytes);
    }
}
