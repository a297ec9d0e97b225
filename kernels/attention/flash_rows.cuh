// Sixteen rows of attention in one warp's registers. A lane holds rows g and g + 8 (g = lane / 4) and of each eight columns 2t and 2t + 1 (t = lane % 4):
// scores become the A operand of the product with the values without leaving their lane.
#pragma once
#include "attention/half_mma.cuh"
#include "attention/online_softmax.cuh"
#include "attention/shared_tile.cuh"
#include "ptx/ldmatrix.cuh"
#include "ptx/st.cuh"

template <typename T, u32 head_size, u32 tile_keys>
class FlashRows {
    using KeyTile = SharedTile<tile_keys, head_size>;

    static constexpr u32 kKeyBlocks = tile_keys / 16;
    static constexpr u32 kColumnBlocks = head_size / 16;

public:
    // lane_queries: SharedTile<64, head_size>::columns_last of the warp's first row; lane_keys: rows_last.
    template <u32 query_rows>
    __device__ __forceinline__ void score(u32 lane_queries, u32 lane_keys) {
#pragma unroll
        for (u32 tile = 0; tile < 2 * kKeyBlocks; ++tile)
            scores[tile][0] = scores[tile][1] = scores[tile][2] = scores[tile][3] = 0.0f;
#pragma unroll
        for (u32 step = 0; step < kColumnBlocks; ++step) {
            u32 query[4];
            ldmatrix_x4(query, SharedTile<query_rows, head_size>::block(lane_queries, 0, step));
#pragma unroll
            for (u32 block = 0; block < kKeyBlocks; ++block) {
                u32 key[4];
                ldmatrix_x4(key, KeyTile::block(lane_keys, block, step));
                mma_m16n8k16<T>(scores[2 * block], query, key[0], key[1]);
                mma_m16n8k16<T>(scores[2 * block + 1], query, key[2], key[3]);
            }
        }
    }

    // Keys from limits[i] on, of those that begin with first_key, are not seen by row g + 8i.
    __device__ __forceinline__ void mask(u32 first_key, const u32 (&limits)[2]) {
        const u32 column = first_key + 2 * (threadIdx.x % 4);
#pragma unroll
        for (u32 tile = 0; tile < 2 * kKeyBlocks; ++tile)
#pragma unroll
            for (u32 element = 0; element < 4; ++element)
                if (column + 8 * tile + element % 2 >= limits[element / 2])
                    scores[tile][element] = Maximum::identity();
    }

    // Scores become weights, and what was summed before is scaled to the new maximum.
    __device__ __forceinline__ void weigh(float score_scale) {
#pragma unroll
        for (u32 half = 0; half < 2; ++half) {
            float greatest = Maximum::identity();
#pragma unroll
            for (u32 tile = 0; tile < 2 * kKeyBlocks; ++tile)
                greatest = fmaxf(greatest, fmaxf(scores[tile][2 * half], scores[tile][2 * half + 1]));
            greatest = fmaxf(maxima[half], warp_reduce<Maximum, 4>(greatest) * score_scale);
            const float reference = softmax_reference(greatest);
            const float rescale = ex2_approx_ftz(maxima[half] - reference);
            maxima[half] = greatest;
            float sum = 0.0f;
#pragma unroll
            for (u32 tile = 0; tile < 2 * kKeyBlocks; ++tile)
#pragma unroll
                for (u32 element = 2 * half; element < 2 * half + 2; ++element) {
                    scores[tile][element] = ex2_approx_ftz(fmaf(scores[tile][element], score_scale, -reference));
                    sum += scores[tile][element];
                }
            sums[half] = sums[half] * rescale + sum;
#pragma unroll
            for (u32 tile = 0; tile < 2 * kColumnBlocks; ++tile) {
                outputs[tile][2 * half] *= rescale;
                outputs[tile][2 * half + 1] *= rescale;
            }
        }
    }

    // lane_values: SharedTile<tile_keys, head_size>::columns_last.
    __device__ __forceinline__ void add_values(u32 lane_values) {
#pragma unroll
        for (u32 block = 0; block < kKeyBlocks; ++block) {
            const float(&left)[4] = scores[2 * block];
            const float(&right)[4] = scores[2 * block + 1];
            const u32 weights[4] = {pack_pair<T>(left[0], left[1]), pack_pair<T>(left[2], left[3]),
                                    pack_pair<T>(right[0], right[1]), pack_pair<T>(right[2], right[3])};
#pragma unroll
            for (u32 column = 0; column < kColumnBlocks; ++column) {
                u32 value[4];
                ldmatrix_x4_trans(value, KeyTile::block(lane_values, block, column));
                mma_m16n8k16<T>(outputs[2 * column], weights, value[0], value[1]);
                mma_m16n8k16<T>(outputs[2 * column + 1], weights, value[2], value[3]);
            }
        }
    }

    // Writes the rounded rows into the tile of the queries, from first_row on: the warp's own rows, which only it reads.
    template <u32 query_rows>
    __device__ __forceinline__ void store(u32 query_tile, u32 first_row) {
        const u32 lane = threadIdx.x % kWarpLanes;
#pragma unroll
        for (u32 half = 0; half < 2; ++half) {
            const float normalizer = softmax_normalizer(warp_reduce<Sum, 4>(sums[half]));
            const u32 row = first_row + lane / 4 + 8 * half;
#pragma unroll
            for (u32 tile = 0; tile < 2 * kColumnBlocks; ++tile)
                st_shared_u32(query_tile + SharedTile<query_rows, head_size>::offset(row, tile) + lane % 4 * 4,
                              pack_pair<T>(outputs[tile][2 * half] * normalizer, outputs[tile][2 * half + 1] * normalizer));
        }
    }

private:
    float scores[2 * kKeyBlocks][4];
    float outputs[2 * kColumnBlocks][4] = {};
    float maxima[2] = {Maximum::identity(), Maximum::identity()};  // Over all lanes of a row.
    float sums[2] = {};                                            // Of this lane's columns.
};
