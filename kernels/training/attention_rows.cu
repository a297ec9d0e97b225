// Softmax attention of f32 rows without a cache: causal within each row's sequence, or within pictures (CAUSAL). STATISTICS 0 stores the result; 1 stores what the
// backward pass needs of each row and head instead: the log of the sum of its weights, and the sum of gradient · result, which is that of weight · its gradient.
// A block has 16 queries a warp and one head, and goes over the keys in steps of 32: an online softmax, with both products on tensor cores where OPERAND is bf16.
// Bounded by arithmetic.
#include "training/attention_tile.cuh"

struct Args {
    Heads heads;
    Visible visible;
    const float* gradient;  // STATISTICS: of the result [rows, heads · kHeadSize]
    float* output;          // [rows, heads · kHeadSize]; STATISTICS: [rows, heads, 2]
    float scale;            // of scores
    u32 query_heads;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");

struct Tiles {
    OPERAND query[kOwnRows * kStride];
    OPERAND key[kOtherRows * kStride];
    OPERAND value[kOtherRows * kStride];
    OPERAND weights[kWarps][16 * kWeightStride];
};

static_assert(sizeof(Tiles) <= SHARED_BYTES, "as the host has it");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) attention_rows(const __grid_constant__ Args args) {
    Tiles& tiles = *reinterpret_cast<Tiles*>(dynamic_shared());
    const u32 rows = args.visible.rows, first = blockIdx.x * kOwnRows, head = blockIdx.y;
    const u32 warp = threadIdx.x / kWarpLanes, lane = threadIdx.x % kWarpLanes;
    const u64 group = (u64)(head / kGroupSize) * args.heads.group_stride;
    load_head<kOwnRows>(tiles.query, args.heads.query + group + head % kGroupSize * kHeadSize, args.heads.row_stride, first, rows);

    float sums[1][kHeadSize / 8][4] = {};
    float maximum[2] = {Maximum::identity(), Maximum::identity()}, total[2] = {};
    const u32 last = min(first + kOwnRows, rows) - 1, end = min(args.visible.end(last), rows);
    for (u32 key = args.visible.first(first); key < end; key += kOtherRows) {
        __syncthreads();
        load_head<kOtherRows>(tiles.key, args.heads.key + group, args.heads.row_stride, key, rows);
        load_head<kOtherRows>(tiles.value, args.heads.value + group, args.heads.row_stride, key, rows);
        __syncthreads();
        float scores[1][kOtherRows / 8][4] = {};
        multiply_add<false, false, kHeadSize>(scores, tiles.query + warp * 16 * kStride, kStride, tiles.key, kStride);
#pragma unroll
        for (u32 half = 0; half < 2; half++) {
            const u32 row = first + warp * 16 + lane / 4 + 8 * half;
            float largest = maximum[half];
#pragma unroll
            for (u32 n = 0; n < kOtherRows / 8; n++)
#pragma unroll
                for (u32 i = 0; i < 2; i++) {
                    float& score = scores[0][n][2 * half + i];
                    score = args.visible.sees(row, key + 8 * n + lane % 4 * 2 + i) ? score * args.scale : Maximum::identity();
                    largest = fmaxf(largest, score);
                }
            largest = warp_reduce<Maximum, 4>(largest);
            // A row that has seen nothing yet has weights of zero.
            const float reference = largest == Maximum::identity() ? 0.0f : largest, correction = __expf(maximum[half] - reference);
            float sum = 0.0f;
#pragma unroll
            for (u32 n = 0; n < kOtherRows / 8; n++) {
                const float first_weight = __expf(scores[0][n][2 * half] - reference), second_weight = __expf(scores[0][n][2 * half + 1] - reference);
                sum += first_weight + second_weight;
                store_pair(tiles.weights[warp] + (lane / 4 + 8 * half) * kWeightStride + 8 * n + lane % 4 * 2, first_weight, second_weight);
            }
            total[half] = total[half] * correction + quad_sum(sum);
            maximum[half] = largest;
#pragma unroll
            for (u32 n = 0; n < kHeadSize / 8; n++) {
                sums[0][n][2 * half] *= correction;
                sums[0][n][2 * half + 1] *= correction;
            }
        }
        __syncwarp();
        multiply_add<false, true, kOtherRows>(sums, tiles.weights[warp], kWeightStride, tiles.value, kStride);
    }

#pragma unroll
    for (u32 half = 0; half < 2; half++) {
        const u32 row = first + warp * 16 + lane / 4 + 8 * half;
        const float normalizer = total[half] == 0.0f ? 0.0f : 1.0f / total[half];
        float product = 0.0f;
#pragma unroll
        for (u32 n = 0; n < kHeadSize / 8; n++) {
            const u64 place = ((u64)row * args.query_heads + head) * kHeadSize + 8 * n + lane % 4 * 2;
            const float first_value = sums[0][n][2 * half] * normalizer, second_value = sums[0][n][2 * half + 1] * normalizer;
            if (row >= rows)
                continue;
            if constexpr (STATISTICS) {
                product += args.gradient[place] * first_value + args.gradient[place + 1] * second_value;
            } else {
                args.output[place] = first_value;
                args.output[place + 1] = second_value;
            }
        }
        if constexpr (STATISTICS) {
            product = quad_sum(product);
            if (row < rows && lane % 4 == 0) {
                args.output[((u64)row * args.query_heads + head) * 2] = maximum[half] + __logf(total[half]);
                args.output[((u64)row * args.query_heads + head) * 2 + 1] = product;
            }
        }
    }
}
