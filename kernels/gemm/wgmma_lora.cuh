// Partial LoRA in linear_wgmma.cu: more slices where K ends, for row tiles with visual rows. The producer's other warps, which have nothing else to do, find
// out which those are while the first slices are multiplied.
#pragma once
#include "gemm/wgmma_pipeline.cuh"
#include "ptx/vote.cuh"

constexpr u32 kMostRowTiles = 128;
constexpr u32 kFindingWarps = kGroupThreads / kWarpLanes - 1;

// In static shared memory.
struct LoraState {
    u64 found;                      // mbarrier: the flags are there
    u32 is_visual[kMostRowTiles];   // whether a row tile has visual rows
};

// By one thread, before fence_mbarrier_init and the barrier of the block.
__device__ __forceinline__ void initialize(LoraState& state) {
    mbarrier_init(cvta_to_shared(&state.found), kFindingWarps);
}

__device__ __forceinline__ void find_visual_tiles(LoraState& state, const i32* visual_row, u32 rows) {
    const u32 lane = threadIdx.x % kWarpLanes;
    for (u32 tile = threadIdx.x / kWarpLanes - 1; tile * kBlockRows < rows; tile += kFindingWarps) {
        bool is_visual = false;
#pragma unroll
        for (u32 i = 0; i < kBlockRows; i += kWarpLanes) {
            const u32 row = tile * kBlockRows + i + lane;
            is_visual |= row < rows && visual_row[row] >= 0;
        }
        const bool any = vote_sync_any(is_visual);
        if (lane == 0)
            state.is_visual[tile] = any;
    }
    if (lane == 0)
        mbarrier_arrive(cvta_to_shared(&state.found));
}

// Waits for the flags when it is first asked.
class VisualTiles {
public:
    __device__ __forceinline__ explicit VisualTiles(const LoraState& state) : state(state) {}

    __device__ __forceinline__ bool has(u32 row_tile) {
        if (!is_found)
            wait_for(cvta_to_shared(&state.found), 0);
        is_found = true;
        return state.is_visual[row_tile] != 0;
    }

private:
    const LoraState& state;
    bool is_found = false;
};

constexpr u32 kLoraSlices = LORA_INPUTS * kLoraBlocks;

// By the producer: T and B. down: [rows, LORA_INPUTS, RANK].
__device__ __forceinline__ void request_lora_slices(Ring& ring, const TensorMap* down, const TensorMap* up, u32 row_tile, u32 column_tile) {
#pragma unroll 1
    for (u32 slice = 0; (i32)slice < (i32)kLoraSlices; slice++) {
        const u32 which = kLoraSlices > kLoraBlocks && slice >= kLoraBlocks ? 1 : 0, k = (slice - which * kLoraBlocks) * kBlockK;
        const u32 stage = ring.begin_slice(), barrier = ring.full_barrier();
        cp_async_bulk_tensor_3d_load(stage, down, (i32)k, (i32)which, (i32)(row_tile * kBlockRows), barrier);
        copy_weights(stage + kInputBytes, up, k, column_tile, barrier, which == 0, which == 1);
        ring.advance();
    }
}
