// Element by element: activations, products, sums and their gradients, and dropout. A thread has four elements that follow each other. Bounded by bytes.
#include "common/math.cuh"
#include "common/packed.cuh"

// As the host numbers them.
enum Function { kScale, kScaledSum, kQuickGelu, kGelu, kQuickGeluGradient, kGeluGradient, kSiluProduct, kSiluUpGradient, kSiluGateGradient, kDropout };

struct Args {
    const float* a;         // [count]; likewise b and c where the function has them
    const float* b;
    const float* c;
    float* output;          // [count]
    u64 count;
    const i32* seed;        // dropout: one number
    float scale;
    u32 stream;             // dropout: of the operation
    u32 limit;              // dropout: numbers below it drop their element
    u32 unused;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");
static_assert(FUNCTION <= kDropout, "known");

// d/dx of x · sigmoid(f x).
__device__ __forceinline__ float swish_slope(float x, float f) {
    const float gate = sigmoid(f * x);
    return gate + f * x * gate * (1.0f - gate);
}

// d/dx of gelu: the normal distribution and x times its density.
__device__ __forceinline__ float gelu_slope(float x) {
    return 0.5f * (1.0f + erff(x * kSqrtHalf)) + x * 0.3989422804014327f * __expf(-0.5f * x * x);
}

// SplitMix64's finaliser, as the processor's kernel has it.
__device__ __forceinline__ u64 mix(u64 state) {
    state += 0x9E3779B97F4A7C15ull;
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9ull;
    state = (state ^ (state >> 27)) * 0x94D049BB133111EBull;
    return state ^ (state >> 31);
}

__device__ __forceinline__ float apply(float a, float b, float c, float scale) {
    if constexpr (FUNCTION == kScale)
        return scale * a;
    else if constexpr (FUNCTION == kScaledSum)
        return a + scale * b;
    else if constexpr (FUNCTION == kQuickGelu)
        return quick_gelu(a);
    else if constexpr (FUNCTION == kGelu)
        return gelu(a);
    else if constexpr (FUNCTION == kQuickGeluGradient)
        return a * swish_slope(b, 1.702f);
    else if constexpr (FUNCTION == kGeluGradient)
        return a * gelu_slope(b);
    else if constexpr (FUNCTION == kSiluProduct)
        return silu(a) * b;
    else if constexpr (FUNCTION == kSiluUpGradient)
        return a * silu(b);
    else
        return a * c * swish_slope(b, 1.0f);
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) pointwise(const __grid_constant__ Args args) {
    const u64 first = ((u64)blockIdx.x * BLOCK_THREADS + threadIdx.x) * 4;
    if (first >= args.count)
        return;
    const bool is_whole = args.count - first >= 4;
    float a[4] = {}, b[4] = {}, c[4] = {}, results[4];
    if (is_whole) {
        load4(a, args.a + first);
        if (args.b != nullptr)
            load4(b, args.b + first);
        if (args.c != nullptr)
            load4(c, args.c + first);
    } else {
        for (u32 i = 0; i < args.count - first; i++) {
            a[i] = args.a[first + i];
            b[i] = args.b == nullptr ? 0.0f : args.b[first + i];
            c[i] = args.c == nullptr ? 0.0f : args.c[first + i];
        }
    }
    if constexpr (FUNCTION == kDropout) {
        // Two elements share a hash.
        const u64 key = mix((u64)(u32)*args.seed << 32 | args.stream);
#pragma unroll
        for (u32 i = 0; i < 4; i += 2) {
            const u64 bits = mix(key + first + i);
            results[i] = (u32)bits < args.limit ? 0.0f : a[i] * args.scale;
            results[i + 1] = (u32)(bits >> 32) < args.limit ? 0.0f : a[i + 1] * args.scale;
        }
    } else {
#pragma unroll
        for (u32 i = 0; i < 4; i++)
            results[i] = apply(a[i], b[i], c[i], args.scale);
    }
    if (is_whole)
        store4(args.output + first, results);
    else
#pragma unroll
        for (u32 i = 0; i < 3; i++)
            if (first + i < args.count)
                args.output[first + i] = results[i];
}
