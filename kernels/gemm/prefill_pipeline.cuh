// Slices of both operands on their way from global to shared memory, STAGES - 1 of them ahead of the product.
// sm_80: cp.async, which zero-fills what lies outside of the matrices. sm_75: through registers, two stages.
#pragma once
#include "common/types.cuh"
#include "gemm/prefill_tile.cuh"
#include "ptx/cp_async.cuh"
#include "ptx/ld.cuh"
#include "ptx/st.cuh"

// How the threads share the copy of rows x row_bytes: neighbours take neighbouring chunks, a pass covers rows_per_pass rows.
template <u32 rows, u32 row_bytes>
struct TileCopy {
    static constexpr u32 chunks = row_bytes / kChunkBytes;
    static constexpr u32 rows_per_pass = BLOCK_THREADS / chunks;
    static constexpr u32 passes = rows / rows_per_pass;
    static_assert(rows % rows_per_pass == 0 && rows_per_pass % 8 == 0, "whole passes, the same swizzle in each");

    static __device__ __forceinline__ u32 row() { return threadIdx.x / chunks; }
    static __device__ __forceinline__ u32 chunk() { return threadIdx.x % chunks; }
    static __device__ __forceinline__ u32 offset() { return swizzled<row_bytes>(row(), chunk()); }
    static constexpr u32 pass_bytes = rows_per_pass * row_bytes;
};

using InputCopy = TileCopy<BLOCK_ROWS, kInputRowBytes>;
using WeightCopy = TileCopy<BLOCK_COLUMNS, kWeightRowBytes>;
using TailCopy = TileCopy<BLOCK_COLUMNS, kTailRowBytes>;

struct PipelineSource {
    const STORAGE* input;       // [rows, IN_FEATURES]
    const Weight* weight;       // [OUT_FEATURES, IN_FEATURES]
    const STORAGE* lora_down;   // [rows, LORA_INPUTS x RANK]
    const STORAGE* lora_up;     // [OUT_FEATURES, RANK]
    u32 rows;
    u32 first_row;              // of the block
    u32 first_column;           // of the block, in [0, OUT_FEATURES)
    u32 first_tile;             // slice of K that the block begins with
};

class Pipeline {
public:
    // tiles: slices in all, tail included.
    __device__ __forceinline__ Pipeline(const PipelineSource& source)
        : source(source), shared(cvta_to_shared(dynamic_shared())) {
        input = source.input + (i64)(source.first_row + InputCopy::row()) * IN_FEATURES + source.first_tile * BLOCK_K + InputCopy::chunk() * kChunkElements;
        weight = source.weight + (i64)(source.first_column + weight_row_of(WeightCopy::row())) * IN_FEATURES + source.first_tile * BLOCK_K
            + WeightCopy::chunk() * (kChunkBytes / sizeof(Weight));
    }

    // Asks for a slice; slices are asked for in order, none skipped. Nothing happens where there is no such slice.
    __device__ __forceinline__ void request(u32 tile, u32 tiles) {
        if (tile < tiles) {
            const u32 stage = shared + request_offset;
            if (!kHasLora || tile < kMainTiles)
                request_main(stage, tile);
            else
                request_tail(stage, tile - kMainTiles);
        }
        advance(request_offset);
#if __CUDA_ARCH__ >= 800
        cp_async_commit_group();
#endif
    }

    // Waits for the next slice; afterwards all threads may read it, and the one before it is no longer read. Returns its address.
    __device__ __forceinline__ u32 receive(u32 tile) {
#if __CUDA_ARCH__ >= 800
        cp_async_wait_group<STAGES - 2>();
#else
        store_staged(shared + read_offset, tile);
#endif
        __syncthreads();
        const u32 stage = shared + read_offset;
        advance(read_offset);
        return stage;
    }

private:
    PipelineSource source;
    u32 shared;
    u32 request_offset = 0;
    u32 read_offset = 0;
    const STORAGE* input;       // the thread's chunk of the next slice
    const Weight* weight;
#if __CUDA_ARCH__ < 800
    static_assert(STAGES == 2, "one slice waits in registers");
    uint4 staged_input[InputCopy::passes];
    uint4 staged_weight[WeightCopy::passes > TailCopy::passes ? WeightCopy::passes : TailCopy::passes];
#endif

    static __device__ __forceinline__ void advance(u32& offset) {
        offset += kStageBytes;
        if (offset == STAGES * kStageBytes)
            offset = 0;
    }

    __device__ __forceinline__ bool has_row(u32 shared_row) const {
        return source.first_row + shared_row < source.rows;
    }

    __device__ __forceinline__ bool has_column(u32 weight_row) const {
        return OUT_FEATURES % BLOCK_COLUMNS == 0 || source.first_column + weight_row < OUT_FEATURES;
    }

    __device__ __forceinline__ void request_main(u32 stage, u32 tile) {
        constexpr bool is_whole = IN_FEATURES % BLOCK_K == 0;
        const bool has_input_chunk = is_whole || tile * BLOCK_K + InputCopy::chunk() * kChunkElements < IN_FEATURES;
        const bool has_weight_chunk = is_whole || tile * BLOCK_K + WeightCopy::chunk() * (kChunkBytes / sizeof(Weight)) < IN_FEATURES;
#pragma unroll
        for (u32 pass = 0; pass < InputCopy::passes; pass++)
            copy_input(stage, pass, input + (i64)(pass * InputCopy::rows_per_pass) * IN_FEATURES,
                       has_row(InputCopy::row() + pass * InputCopy::rows_per_pass) && has_input_chunk);
#pragma unroll
        for (u32 pass = 0; pass < WeightCopy::passes; pass++)
            copy_weight<WeightCopy>(stage, pass, weight + (i64)weight_row_of(pass * WeightCopy::rows_per_pass) * IN_FEATURES,
                                    has_column(weight_row_of(WeightCopy::row() + pass * WeightCopy::rows_per_pass)) && has_weight_chunk);
        input += BLOCK_K;
        weight += BLOCK_K;
    }

    // Of the input's chunks the first half belongs to the first input of Partial LoRA, the second to the second, if there are two.
    __device__ __forceinline__ void request_tail(u32 stage, u32 tail) {
        constexpr u32 half = kSeparateTail ? InputCopy::chunks / 2 : InputCopy::chunks;
        const u32 which = InputCopy::chunk() / half;
        const u32 column = tail * kTailColumns + InputCopy::chunk() % half * kChunkElements;
        const bool has_chunk = (i32)which < (i32)kLoraInputs && (i32)column < RANK;
        const STORAGE* down = source.lora_down + (i64)(source.first_row + InputCopy::row()) * (kLoraInputs * RANK) + which * RANK + column;
#pragma unroll
        for (u32 pass = 0; pass < InputCopy::passes; pass++)
            copy_input(stage, pass, down + (i64)(pass * InputCopy::rows_per_pass) * (kLoraInputs * RANK),
                       has_row(InputCopy::row() + pass * InputCopy::rows_per_pass) && has_chunk);
        const u32 up_column = tail * kTailColumns + TailCopy::chunk() * kChunkElements;
        const STORAGE* up = source.lora_up + (i64)(source.first_column + weight_row_of(TailCopy::row())) * RANK + up_column;
#pragma unroll
        for (u32 pass = 0; pass < TailCopy::passes; pass++)
            copy_weight<TailCopy>(stage, pass, up + (i64)weight_row_of(pass * TailCopy::rows_per_pass) * RANK,
                                  has_column(weight_row_of(TailCopy::row() + pass * TailCopy::rows_per_pass)) && (i32)up_column < RANK);
    }

    __device__ __forceinline__ void copy_input(u32 stage, u32 pass, const void* chunk, bool is_inside) {
#if __CUDA_ARCH__ >= 800
        cp_async_cg_16(stage + InputCopy::offset() + pass * InputCopy::pass_bytes, chunk, is_inside ? kChunkBytes : 0);
#else
        staged_input[pass] = is_inside ? ld_global_nc_v4(chunk) : uint4{0, 0, 0, 0};
#endif
    }

    template <typename Copy>
    __device__ __forceinline__ void copy_weight(u32 stage, u32 pass, const void* chunk, bool is_inside) {
#if __CUDA_ARCH__ >= 800
        cp_async_cg_16(stage + kInputStageBytes + Copy::offset() + pass * Copy::pass_bytes, chunk, is_inside ? kChunkBytes : 0);
#else
        staged_weight[pass] = is_inside ? ld_global_nc_v4(chunk) : uint4{0, 0, 0, 0};
#endif
    }

#if __CUDA_ARCH__ < 800
    __device__ __forceinline__ void store_staged(u32 stage, u32 tile) {
#pragma unroll
        for (u32 pass = 0; pass < InputCopy::passes; pass++)
            st_shared_v4(stage + InputCopy::offset() + pass * InputCopy::pass_bytes, staged_input[pass]);
        if (!kHasLora || tile < kMainTiles)
            store_weight<WeightCopy>(stage);
        else
            store_weight<TailCopy>(stage);
    }

    template <typename Copy>
    __device__ __forceinline__ void store_weight(u32 stage) {
#pragma unroll
        for (u32 pass = 0; pass < Copy::passes; pass++)
            st_shared_v4(stage + kInputStageBytes + Copy::offset() + pass * Copy::pass_bytes, staged_weight[pass]);
    }
#endif
};
