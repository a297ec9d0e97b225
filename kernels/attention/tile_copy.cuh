// Copies a tile from global to shared memory while the block computes: begin, later finish by the same threads, then a barrier.
// From sm_80 on the copy unit does it; before, a part of the tile waits in each thread's registers.
#pragma once
#include "attention/int8_cache.cuh"
#include "attention/shared_tile.cuh"
#include "ptx/cp_async.cuh"
#include "ptx/ld.cuh"
#include "ptx/st.cuh"

// row_stride: elements from one row of the source to the next.
template <u32 rows, u32 head_size, u32 row_stride>
class TileCopy {
    using Tile = SharedTile<rows, head_size>;

    static constexpr u32 kChunks = head_size / 8;
    static constexpr u32 kParts = rows * kChunks / BLOCK_THREADS;
    static_assert(rows * kChunks % BLOCK_THREADS == 0 && row_stride % 8 == 0, "whole 16-byte chunks, the same number for every thread");

public:
    // source: 16-bit elements, aligned to 16 bytes. Rows from valid_rows on are not read and become zero.
    template <typename T>
    __device__ __forceinline__ void begin(u32 tile, const T* source, u32 valid_rows) {
#pragma unroll
        for (u32 part = 0; part < kParts; ++part) {
            const u32 index = threadIdx.x + part * BLOCK_THREADS;
            const u32 row = index / kChunks;
            const u32 chunk = index % kChunks;
            const T* const address = source + (u64)row * row_stride + chunk * 8;
#if __CUDA_ARCH__ >= 800
            cp_async_cg_16(tile + Tile::offset(row, chunk), address, row < valid_rows ? 16 : 0);
#else
            held[part] = row < valid_rows ? ld_global_v4(address) : uint4{0, 0, 0, 0};
#endif
        }
    }

    // The tile may not be read by anyone from begin on from sm_80, and from finish on before: callers keep to the stricter of both.
    __device__ __forceinline__ void finish(u32 tile) {
#if __CUDA_ARCH__ >= 800
        cp_async_wait_all();
#else
#pragma unroll
        for (u32 part = 0; part < kParts; ++part) {
            const u32 index = threadIdx.x + part * BLOCK_THREADS;
            st_shared_v4(tile + Tile::offset(index / kChunks, index % kChunks), held[part]);
        }
#endif
    }

#if __CUDA_ARCH__ < 800
private:
    uint4 held[kParts];
#endif
};

// The same from an int8 cache, whose bytes wait in each thread's registers on every generation and become 16-bit numbers on their way to the tile.
template <typename T, u32 rows, u32 head_size>
class Int8TileCopy {
    using Tile = SharedTile<rows, head_size>;

    static constexpr u32 kChunks = head_size / 16;
    static constexpr u32 kParts = rows * kChunks / BLOCK_THREADS;
    static_assert(rows * kChunks % BLOCK_THREADS == 0, "whole 16-byte chunks, the same number for every thread");

public:
    __device__ __forceinline__ void begin(u32, const Int8Rows& source, u32 valid_rows) {
#pragma unroll
        for (u32 part = 0; part < kParts; ++part) {
            const u32 index = threadIdx.x + part * BLOCK_THREADS;
            const u32 row = index / kChunks;
            const bool is_valid = row < valid_rows;
            held[part] = is_valid ? ld_global_v4(source.rows + row * head_size + index % kChunks * 16) : uint4{0, 0, 0, 0};
            scales[part] = is_valid ? source.scales[row] : 0.0f;
        }
    }

    __device__ __forceinline__ void finish(u32 tile) {
#pragma unroll
        for (u32 part = 0; part < kParts; ++part) {
            const u32 index = threadIdx.x + part * BLOCK_THREADS;
            const u32 row = index / kChunks, chunk = index % kChunks * 2;
            st_shared_v4(tile + Tile::offset(row, chunk), scaled_eight<T>({held[part].x, held[part].y}, scales[part]));
            st_shared_v4(tile + Tile::offset(row, chunk + 1), scaled_eight<T>({held[part].z, held[part].w}, scales[part]));
        }
    }

private:
    uint4 held[kParts];
    float scales[kParts];
};

// The copy for tiles that a set of keys has.
template <typename Rows, typename T, u32 rows, u32 head_size, u32 row_stride>
struct KeyCopyOf {
    using Type = TileCopy<rows, head_size, row_stride>;
};

template <typename T, u32 rows, u32 head_size, u32 row_stride>
struct KeyCopyOf<Int8Rows, T, rows, head_size, row_stride> {
    using Type = Int8TileCopy<T, rows, head_size>;
};
