// y = (x - mean) / sqrt(variance + eps) · gain + bias, per row; the variance is summed around the mean. One warp a row, which is read three times, twice
// from the cache. Bounded by bytes: 4 read and OUTPUT written an element. Sums in F32, rounded once when stored.
#include "common/packed.cuh"
#include "common/reduce.cuh"

constexpr u32 kColumns = COLUMNS;
constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;

struct Args {
    const float* x;         // [rows, kColumns], 16-byte aligned
    const STORAGE* gain;    // [kColumns], aligned to four elements
    const STORAGE* bias;    // [kColumns], aligned to four elements
    OUTPUT* y;              // [rows, kColumns], aligned to four elements
    float epsilon;
    u32 rows;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");
static_assert(kColumns % 4 == 0, "four elements an access");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) layer_norm(const __grid_constant__ Args args) {
    const u64 row = (u64)blockIdx.x * kWarps + threadIdx.x / kWarpLanes;
    if (row >= args.rows)
        return;
    const u32 first = threadIdx.x % kWarpLanes * 4;
    const float* x = args.x + row * kColumns;
    float sum = 0.0f;
#pragma unroll 4
    for (u32 column = first; column < kColumns; column += kWarpLanes * 4) {
        float values[4];
        load4(values, x + column);
        sum += (values[0] + values[1]) + (values[2] + values[3]);
    }
    const float mean = warp_reduce<Sum>(sum) / kColumns;

    float squares = 0.0f;
#pragma unroll 4
    for (u32 column = first; column < kColumns; column += kWarpLanes * 4) {
        float values[4];
        load4(values, x + column);
#pragma unroll
        for (u32 i = 0; i < 4; i++)
            squares += (values[i] - mean) * (values[i] - mean);
    }
    const float factor = 1.0f / sqrtf(warp_reduce<Sum>(squares) / kColumns + args.epsilon);

#pragma unroll 4
    for (u32 column = first; column < kColumns; column += kWarpLanes * 4) {
        float values[4], gains[4], biases[4];
        load4(values, x + column);
        load4(gains, args.gain + column);
        load4(biases, args.bias + column);
#pragma unroll
        for (u32 i = 0; i < 4; i++)
            values[i] = (values[i] - mean) * factor * gains[i] + biases[i];
        store4(args.y + row * kColumns + column, values);
    }
}
