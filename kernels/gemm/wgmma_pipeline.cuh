// Slices of both operands on their way to the multiplying warpgroups: one thread asks the TMA unit for them, STAGES ahead of the product.
//
// mbarriers of a stage: `full` ends a phase when all bytes of the slice are there, `empty` when all consumers' warps have multiplied it. Producer and
// consumers walk the ring in the same order, over all tiles of the block, so that the slices of a tile come while the one before is being stored.
#pragma once
#include "gemm/wgmma_tile.cuh"
#include "ptx/cp_async_bulk.cuh"
#include "ptx/mbarrier.cuh"
#include "ptx/shared_memory.cuh"

// mbarriers, in static shared memory.
struct PipelineState {
    u64 full[STAGES];
    u64 empty[STAGES];
};

// By one thread, before fence_mbarrier_init and the barrier of the block.
__device__ __forceinline__ void initialize(PipelineState& state) {
#pragma unroll
    for (u32 stage = 0; stage < STAGES; stage++) {
        mbarrier_init(cvta_to_shared(&state.full[stage]), 1);
        mbarrier_init(cvta_to_shared(&state.empty[stage]), kConsumerWarps);
    }
}

__device__ __forceinline__ void wait_for(u32 barrier, u32 parity) {
    while (!mbarrier_try_wait_parity(barrier, parity)) {}
}

// Where stage 0 begins: at a pattern of the swizzle.
__device__ __forceinline__ u32 first_stage() {
    return (cvta_to_shared(dynamic_shared()) + kSwizzleBytes - 1) / kSwizzleBytes * kSwizzleBytes;
}

// A walk around the stages.
class Ring {
public:
    __device__ __forceinline__ explicit Ring(PipelineState& state)
        : stages(first_stage()), full(cvta_to_shared(state.full)), empty(cvta_to_shared(state.empty)) {}

    // Of the producer: waits until the stage may be written, announces its bytes, and gives its address.
    __device__ __forceinline__ u32 begin_slice() const {
        wait_for(empty + stage * 8, parity ^ 1);
        mbarrier_arrive_expect_tx(full_barrier(), kStageBytes);
        return stages + stage * kStageBytes;
    }

    __device__ __forceinline__ u32 full_barrier() const {
        return full + stage * 8;
    }

    // Of a consumer: waits until the slice is there, and gives its address.
    __device__ __forceinline__ u32 receive_slice() const {
        wait_for(full_barrier(), parity);
        return stages + stage * kStageBytes;
    }

    // Of a consumer: its warp has read the slice.
    __device__ __forceinline__ void release_slice() const {
        if (threadIdx.x % kWarpLanes == 0)
            mbarrier_arrive(empty + stage * 8);
    }

    __device__ __forceinline__ void advance() {
        if (++stage == STAGES) {
            stage = 0;
            parity ^= 1;
        }
    }

private:
    u32 stages;     // of shared memory, as all addresses here
    u32 full;
    u32 empty;
    u32 stage = 0;
    u32 parity = 0;
};

// BLOCK_COLUMNS rows of the weights, or of B, 64 columns from k on. Of gate and up those whose flag is not set are zero: their box lies outside of the
// tensor.
__device__ __forceinline__ void copy_weights(u32 place, const TensorMap* map, u32 k, u32 column_tile, u32 barrier, bool has_gate, bool has_up) {
    if constexpr (kGated) {
        const u32 turn = column_tile * kBlockTurns;
        cp_async_bulk_tensor_3d_load(place, map, (i32)k, 0, (i32)(has_gate ? turn : kTurns), barrier);
        cp_async_bulk_tensor_3d_load(place + kWeightBytes / 2, map, (i32)k, 8, (i32)(has_up ? turn : kTurns), barrier);
    } else {
        cp_async_bulk_tensor_2d_load(place, map, (i32)k, (i32)(column_tile * BLOCK_COLUMNS), barrier);
    }
}

// By the producer: slices [first, end) of input and weights.
__device__ __forceinline__ void request_slices(Ring& ring, const TensorMap* input, const TensorMap* weight, u32 row_tile, u32 column_tile, u32 first, u32 end) {
#pragma unroll 1
    for (u32 block = first; block < end; block++) {
        const u32 stage = ring.begin_slice(), barrier = ring.full_barrier();
        cp_async_bulk_tensor_2d_load(stage, input, (i32)(block * kBlockK), (i32)(row_tile * kBlockRows), barrier);
        copy_weights(stage + kInputBytes, weight, block * kBlockK, column_tile, barrier, true, true);
        ring.advance();
    }
}

// By a consumer: sums += so many slices.
__device__ __forceinline__ void multiply_slices(WarpgroupSums& sums, Ring& ring, u32 slices) {
#pragma unroll 1
    for (u32 slice = 0; slice < slices; slice++) {
        multiply_stage(sums, ring.receive_slice());
        ring.release_slice();
        ring.advance();
    }
}
