// Of each row of logits, by FUNCTION: 0 the loss -log softmax[target]; 1 its gradient, factor · (softmax - one-hot); 2 the loss, and 1 where no token is likelier than the
// target, else 0. A block a row, which is read two or three times, mostly from L2. Bounded by bytes.
#include "common/reduce.cuh"

struct Args {
    const float* logits;    // [rows, columns]
    const i32* targets;     // [rows]
    const float* factors;   // 1: [rows]
    float* output;          // 0: [rows]; 1: [rows, columns]; 2: [rows, 2]
    u32 rows;
    u32 columns;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");
static_assert(FUNCTION <= 2, "three functions");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) token_loss(const __grid_constant__ Args args) {
    __shared__ float partials[2][BLOCK_THREADS / kWarpLanes];
    const u64 row = blockIdx.x;
    const float* logits = args.logits + row * args.columns;
    float largest = Maximum::identity();
    for (u32 column = threadIdx.x; column < args.columns; column += BLOCK_THREADS)
        largest = fmaxf(largest, logits[column]);
    largest = block_reduce<Maximum, BLOCK_THREADS>(largest, partials[0]);
    float sum = 0.0f;
    for (u32 column = threadIdx.x; column < args.columns; column += BLOCK_THREADS)
        sum += expf(logits[column] - largest);
    sum = block_reduce<Sum, BLOCK_THREADS>(sum, partials[1]);
    const u32 target = (u32)args.targets[row];
    if constexpr (FUNCTION == 1) {
        const float factor = args.factors[row], scale = factor / sum;
        for (u32 column = threadIdx.x; column < args.columns; column += BLOCK_THREADS)
            args.output[row * args.columns + column] = scale * expf(logits[column] - largest) - (column == target ? factor : 0.0f);
    } else if (threadIdx.x == 0) {
        const float logit = target < args.columns ? logits[target] : Maximum::identity();
        args.output[FUNCTION == 2 ? 2 * row : row] = logf(sum) + largest - logit;
        if constexpr (FUNCTION == 2)
            args.output[2 * row + 1] = logit == largest ? 1.0f : 0.0f;
    }
}
