// The gradients of softmax attention (attention_rows) by queries, keys and values, from the statistics that it leaves. The first blocks of a row of the grid have
// queries of one head and go over the keys that these see; the others have keys of one key/value head and go over its query heads and the rows that see them. So each
// element has one writer and one order of summation. Weights are computed again: exp(score - log of the sum). Five products a step; bounded by arithmetic.
#include "training/attention_tile.cuh"

struct Args {
    Heads heads;
    Visible visible;
    const float* gradient;      // of the result [rows, heads · kHeadSize]
    const float* statistics;    // [rows, heads, 2]: log of the sum of weights, sum of gradient · result
    float* query;               // [rows], output_stride elements apart, groups output_group_stride; likewise key, value
    float* key;
    float* value;
    u32 output_stride;
    u32 output_group_stride;
    float scale;
    u32 query_heads;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");

struct Tiles {
    OPERAND own[2][kOwnRows * kStride];     // query and gradient, or key and value
    OPERAND other[2][kOtherRows * kStride]; // key and value, or query and gradient
    OPERAND weights[kWarps][16 * kWeightStride];
    float statistics[kOtherRows][2];
};

static_assert(sizeof(Tiles) <= SHARED_BYTES, "as the host has it");

using Sums = float[1][kHeadSize / 8][4];

// A warp's 16 rows.
__device__ __forceinline__ void store_sums(const Sums& sums, float* output, u32 stride, u32 first, u32 rows, float scale) {
    const u32 lane = threadIdx.x % kWarpLanes;
#pragma unroll
    for (u32 half = 0; half < 2; half++) {
        const u32 row = first + lane / 4 + 8 * half;
        if (row >= rows)
            continue;
#pragma unroll
        for (u32 n = 0; n < kHeadSize / 8; n++) {
            float* place = output + (u64)row * stride + 8 * n + lane % 4 * 2;
            place[0] = scale * sums[0][n][2 * half];
            place[1] = scale * sums[0][n][2 * half + 1];
        }
    }
}

__device__ __forceinline__ void gradient_of_queries(const Args& args, Tiles& tiles, u32 first, u32 head) {
    const u32 rows = args.visible.rows, warp = threadIdx.x / kWarpLanes, lane = threadIdx.x % kWarpLanes, stride = args.query_heads * kHeadSize;
    const u64 group = (u64)(head / kGroupSize) * args.heads.group_stride;
    load_head<kOwnRows>(tiles.own[0], args.heads.query + group + head % kGroupSize * kHeadSize, args.heads.row_stride, first, rows);
    load_head<kOwnRows>(tiles.own[1], args.gradient + (u64)head * kHeadSize, stride, first, rows);
    float statistics[2][2] = {};
#pragma unroll
    for (u32 half = 0; half < 2; half++) {
        const u32 row = first + warp * 16 + lane / 4 + 8 * half;
        if (row < rows)
#pragma unroll
            for (u32 i = 0; i < 2; i++)
                statistics[half][i] = args.statistics[((u64)row * args.query_heads + head) * 2 + i];
    }
    Sums sums = {};
    const u32 last = min(first + kOwnRows, rows) - 1, end = min(args.visible.end(last), rows);
    for (u32 key = args.visible.first(first); key < end; key += kOtherRows) {
        __syncthreads();
        load_head<kOtherRows>(tiles.other[0], args.heads.key + group, args.heads.row_stride, key, rows);
        load_head<kOtherRows>(tiles.other[1], args.heads.value + group, args.heads.row_stride, key, rows);
        __syncthreads();
        float scores[1][kOtherRows / 8][4] = {}, slopes[1][kOtherRows / 8][4] = {};
        multiply_add<false, false, kHeadSize>(scores, tiles.own[0] + warp * 16 * kStride, kStride, tiles.other[0], kStride);
        multiply_add<false, false, kHeadSize>(slopes, tiles.own[1] + warp * 16 * kStride, kStride, tiles.other[1], kStride);
#pragma unroll
        for (u32 half = 0; half < 2; half++)
#pragma unroll
            for (u32 n = 0; n < kOtherRows / 8; n++) {
                float values[2];
#pragma unroll
                for (u32 i = 0; i < 2; i++) {
                    const bool is_seen = args.visible.sees(first + warp * 16 + lane / 4 + 8 * half, key + 8 * n + lane % 4 * 2 + i);
                    const float weight = is_seen ? __expf(scores[0][n][2 * half + i] * args.scale - statistics[half][0]) : 0.0f;
                    values[i] = weight * (slopes[0][n][2 * half + i] - statistics[half][1]);
                }
                store_pair(tiles.weights[warp] + (lane / 4 + 8 * half) * kWeightStride + 8 * n + lane % 4 * 2, values[0], values[1]);
            }
        __syncwarp();
        multiply_add<false, true, kOtherRows>(sums, tiles.weights[warp], kWeightStride, tiles.other[0], kStride);
    }
    store_sums(sums, args.query + (u64)(head / kGroupSize) * args.output_group_stride + head % kGroupSize * kHeadSize, args.output_stride, first + warp * 16, rows, args.scale);
}

__device__ __forceinline__ void gradients_of_keys(const Args& args, Tiles& tiles, u32 first, u32 group) {
    const u32 rows = args.visible.rows, warp = threadIdx.x / kWarpLanes, lane = threadIdx.x % kWarpLanes, stride = args.query_heads * kHeadSize;
    const u64 offset = (u64)group * args.heads.group_stride;
    load_head<kOwnRows>(tiles.own[0], args.heads.key + offset, args.heads.row_stride, first, rows);
    load_head<kOwnRows>(tiles.own[1], args.heads.value + offset, args.heads.row_stride, first, rows);
    Sums keys = {}, values = {};
    // Rows that see one of these keys: the sequence or picture of the first key to the end of the last one's.
    const u32 last = min(first + kOwnRows, rows) - 1;
    const u32 begin = CAUSAL ? first : args.visible.first(first), end = CAUSAL ? rows : min(args.visible.end(last), rows);
    for (u32 head = group * kGroupSize; head < (group + 1) * kGroupSize; head++)
        for (u32 row = begin; row < end; row += kOtherRows) {
            if (args.visible.first(row) > last)
                break;
            __syncthreads();
            load_head<kOtherRows>(tiles.other[0], args.heads.query + offset + head % kGroupSize * kHeadSize, args.heads.row_stride, row, rows);
            load_head<kOtherRows>(tiles.other[1], args.gradient + (u64)head * kHeadSize, stride, row, rows);
            for (u32 index = threadIdx.x; index < 2 * kOtherRows; index += BLOCK_THREADS)
                tiles.statistics[index / 2][index % 2] = row + index / 2 < rows ? args.statistics[((u64)(row + index / 2) * args.query_heads + head) * 2 + index % 2] : 0.0f;
            __syncthreads();
            // Transposed: rows are keys, columns are queries.
            float scores[1][kOtherRows / 8][4] = {}, slopes[1][kOtherRows / 8][4] = {};
            multiply_add<false, false, kHeadSize>(scores, tiles.own[0] + warp * 16 * kStride, kStride, tiles.other[0], kStride);
            multiply_add<false, false, kHeadSize>(slopes, tiles.own[1] + warp * 16 * kStride, kStride, tiles.other[1], kStride);
            OPERAND* weights = tiles.weights[warp] + lane / 4 * kWeightStride + lane % 4 * 2;
#pragma unroll
            for (u32 n = 0; n < kOtherRows / 8; n++)
#pragma unroll
                for (u32 half = 0; half < 2; half++) {
#pragma unroll
                    for (u32 i = 0; i < 2; i++) {
                        const u32 column = 8 * n + lane % 4 * 2 + i;
                        const bool is_seen = args.visible.sees(row + column, first + warp * 16 + lane / 4 + 8 * half);
                        float& score = scores[0][n][2 * half + i];
                        score = is_seen ? __expf(score * args.scale - tiles.statistics[column][0]) : 0.0f;
                        slopes[0][n][2 * half + i] = score * (slopes[0][n][2 * half + i] - tiles.statistics[column][1]);
                    }
                    store_pair(weights + 8 * half * kWeightStride + 8 * n, scores[0][n][2 * half], scores[0][n][2 * half + 1]);
                }
            __syncwarp();
            multiply_add<false, true, kOtherRows>(values, tiles.weights[warp], kWeightStride, tiles.other[1], kStride);
            __syncwarp();
#pragma unroll
            for (u32 n = 0; n < kOtherRows / 8; n++)
#pragma unroll
                for (u32 half = 0; half < 2; half++)
                    store_pair(weights + 8 * half * kWeightStride + 8 * n, slopes[0][n][2 * half], slopes[0][n][2 * half + 1]);
            __syncwarp();
            multiply_add<false, true, kOtherRows>(keys, tiles.weights[warp], kWeightStride, tiles.other[0], kStride);
        }
    const u64 place = (u64)group * args.output_group_stride;
    store_sums(keys, args.key + place, args.output_stride, first + warp * 16, rows, args.scale);
    store_sums(values, args.value + place, args.output_stride, first + warp * 16, rows, 1.0f);
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) attention_gradient(const __grid_constant__ Args args) {
    Tiles& tiles = *reinterpret_cast<Tiles*>(dynamic_shared());
    const u32 tiles_of_rows = ceil_divide(args.visible.rows, kOwnRows);
    if (blockIdx.x < tiles_of_rows)
        gradient_of_queries(args, tiles, blockIdx.x * kOwnRows, blockIdx.y);
    else if (blockIdx.y * kGroupSize < args.query_heads)
        gradients_of_keys(args, tiles, (blockIdx.x - tiles_of_rows) * kOwnRows, blockIdx.y);
}
