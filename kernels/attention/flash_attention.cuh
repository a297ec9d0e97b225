// softmax(Q Kᵀ · scale) V for a tile of query rows of one head, without the matrix of scores: 16 rows a warp, keys and values tile by tile through
// shared memory. Each has one buffer: a tile's values arrive while its scores are computed, the next tile's keys while the values are added.
#pragma once
#include "attention/flash_rows.cuh"
#include "attention/tile_copy.cuh"
#include "ptx/shared_memory.cuh"

// Keys describes what the rows attend to:
//   kStride                elements from one key to the next
//   Rows                   const T*, or Int8Rows
//   Rows tile(u32 i)       keys tile_keys i and following
//   i64 value_offset       elements from a key to its value
//   u32 count              keys that any row of the tile sees, at least one
//   u32 limit(u32 row)     keys that a row of the tile sees, not decreasing
template <typename T, u32 head_size, u32 tile_keys, u32 query_stride, u32 output_stride, typename Keys>
class FlashAttention {
    static constexpr u32 kWarps = BLOCK_THREADS / kWarpLanes;
    static constexpr u32 kRows = 16 * kWarps;

    using QueryTile = SharedTile<kRows, head_size>;
    using KeyTile = SharedTile<tile_keys, head_size>;
    using KeyCopy = typename KeyCopyOf<typename Keys::Rows, T, tile_keys, head_size, Keys::kStride>::Type;

public:
    static constexpr u32 kSharedBytes = QueryTile::kBytes + 2 * KeyTile::kBytes;

    __device__ __forceinline__ FlashAttention(const Keys& keys, float score_scale) : keys(keys), score_scale(score_scale) {
        const u32 lane = threadIdx.x % kWarpLanes;
        const u32 warp = threadIdx.x / kWarpLanes;
        query_tile = cvta_to_shared(dynamic_shared());
        lane_queries = QueryTile::columns_last(query_tile, lane) + warp * 16 * 128;
        limits[0] = keys.limit(warp * 16 + lane / 4);
        limits[1] = keys.limit(warp * 16 + lane / 4 + 8);
    }

    // queries and outputs: of row_count rows, which fit the tile.
    __device__ __forceinline__ void run(const T* queries, T* outputs, u32 row_count) {
        const u32 tiles = ceil_divide(keys.count, tile_keys);
        const u32 full_tiles = keys.limit(0) / tile_keys;
        TileCopy<kRows, head_size, query_stride> query_copy;
        query_copy.begin(query_tile, queries, row_count);
        query_copy.finish(query_tile);
        current = keys.tile(0);
        copy.begin(key_tile(), current, keys.count);
        copy.finish(key_tile());
        for (tile = 0; tile < full_tiles; ++tile)
            step<false>(tiles);
        for (; tile < tiles; ++tile)
            step<true>(tiles);
        write(outputs, row_count);
    }

private:
    __device__ __forceinline__ u32 key_tile() const { return query_tile + QueryTile::kBytes; }
    __device__ __forceinline__ u32 value_tile() const { return key_tile() + KeyTile::kBytes; }

    template <bool masked>
    __device__ __forceinline__ void step(u32 tiles) {
        const u32 lane = threadIdx.x % kWarpLanes;
        const bool last = tile + 1 == tiles;
        const u32 valid = keys.count - tile * tile_keys;
        __syncthreads();  // The keys are there for all; nobody reads the values of the tile before.
        copy.begin(value_tile(), current + keys.value_offset, valid);
        if (!last)
            current = keys.tile(tile + 1);
        rows.template score<kRows>(lane_queries, KeyTile::rows_last(key_tile(), lane));
        if constexpr (masked)
            rows.mask(tile * tile_keys, limits);
        rows.weigh(score_scale);
        copy.finish(value_tile());
        __syncthreads();  // The values are there for all; nobody reads the keys.
        if (!last)
            copy.begin(key_tile(), current, valid - tile_keys);
        rows.add_values(KeyTile::columns_last(value_tile(), lane));
        if (!last)
            copy.finish(key_tile());
    }

    // By way of the warp's rows of the query tile, so that global memory gets whole chunks of a row.
    __device__ __forceinline__ void write(T* outputs, u32 row_count) {
        constexpr u32 kChunks = head_size / 8;
        const u32 lane = threadIdx.x % kWarpLanes;
        const u32 first_row = threadIdx.x / kWarpLanes * 16;
        __syncwarp();
        rows.template store<kRows>(query_tile, first_row);
        __syncwarp();
#pragma unroll
        for (u32 part = 0; part < 16 * kChunks / kWarpLanes; ++part) {
            const u32 index = lane + part * kWarpLanes;
            const u32 row = first_row + index / kChunks;
            const u32 chunk = index % kChunks;
            if (row < row_count)
                st_global_v4(outputs + (u64)row * output_stride + chunk * 8, ld_shared_v4(query_tile + QueryTile::offset(row, chunk)));
        }
    }

    const Keys keys;
    const float score_scale;
    u32 query_tile;
    u32 lane_queries;
    u32 limits[2];
    u32 tile;
    typename Keys::Rows current;
    KeyCopy copy;
    FlashRows<T, head_size, tile_keys> rows;
};
