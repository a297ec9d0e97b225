// The gradient of a norm's input, + addend: r (g w - mean(g w) - x̂ mean(g w x̂)), with x̂ the normed input and r what it was multiplied by. The mean of g w is left out
// where the norm is not CENTRED. A warp a row, read three times, twice from the cache; bounded by bytes.
#include "common/reduce.cuh"

constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;

struct Args {
    const float* gradient;  // [rows, columns]
    const float* x;         // [rows, columns]
    const float* weight;    // [columns]
    const float* addend;    // [rows, columns]; null for none
    float* output;          // [rows, columns]
    float epsilon;
    u32 rows;
    u32 columns;
    u32 unused;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) norm_input_gradient(const __grid_constant__ Args args) {
    const u32 row = blockIdx.x * kWarps + threadIdx.x / kWarpLanes, lane = threadIdx.x % kWarpLanes, columns = args.columns;
    if (row >= args.rows)
        return;
    const float* x = args.x + (u64)row * columns;
    const float* gradient = args.gradient + (u64)row * columns;
    float mean = 0.0f, squares = 0.0f;
    if constexpr (CENTRED) {
        for (u32 column = lane; column < columns; column += kWarpLanes)
            mean += x[column];
        mean = warp_reduce<Sum>(mean) / columns;
    }
    float slopes = 0.0f, products = 0.0f;
    for (u32 column = lane; column < columns; column += kWarpLanes) {
        const float centred = x[column] - mean, slope = gradient[column] * args.weight[column];
        squares += centred * centred;
        slopes += slope;
        products += slope * centred;
    }
    const float factor = 1.0f / sqrtf(warp_reduce<Sum>(squares) / columns + args.epsilon);
    slopes = CENTRED ? warp_reduce<Sum>(slopes) / columns : 0.0f;
    products = warp_reduce<Sum>(products) / columns * factor * factor;
    for (u32 column = lane; column < columns; column += kWarpLanes) {
        const u64 place = (u64)row * columns + column;
        const float value = factor * (gradient[column] * args.weight[column] - slopes - (x[column] - mean) * products);
        args.output[place] = args.addend == nullptr ? value : args.addend[place] + value;
    }
}
