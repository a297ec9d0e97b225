// One step of AdamW over one parameter: value = value · shrink - step · m / (sqrt(v) / root + eps), with m and v the running means of the clipped gradient and its
// square. Masters are f32, and the only copy: products round them as they read them. Bounded by bytes: 16 read and 12 written an element.
#include "common/integers.cuh"

struct Args {
    float* values;          // [count]
    const float* gradient;  // [count]
    float* first;           // [count]: m
    float* second;          // [count]: v
    u64 count;
    float beta1, beta2;     // shares of the old means
    float epsilon;
    float shrink;           // 1 - rate · decay
    float step;             // rate / (1 - beta1ⁿ)
    float root;             // sqrt(1 - beta2ⁿ)
    float clip;             // factor of the gradient
    u32 unused;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) adamw(const __grid_constant__ Args args) {
    const u64 place = (u64)blockIdx.x * BLOCK_THREADS + threadIdx.x;
    if (place >= args.count)
        return;
    const float gradient = args.gradient[place] * args.clip;
    const float m = args.first[place] * args.beta1 + gradient * (1.0f - args.beta1);
    const float v = args.second[place] * args.beta2 + gradient * gradient * (1.0f - args.beta2);
    args.first[place] = m;
    args.second[place] = v;
    args.values[place] = args.values[place] * args.shrink - args.step * (m / (sqrtf(v) / args.root + args.epsilon));
}
