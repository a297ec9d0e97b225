// The books of a decode step, kept on the device so that a captured graph is replayed without the host writing anything: each sequence is as many tokens
// longer as it had rows. A sequence whose chosen id ends its answer is marked as finished and does not grow any more: steps that were under way already when
// the host reads the id write into the place of one token, and no further.
// One thread a sequence, one block for each 128.
#include "common/sequence_span.cuh"

struct Args {
    SequenceSpan* sequences;    // [sequences]
    const i32* ids;             // [sequences]; what the step chose
    const i32* stop_ids;        // [stop_count]
    u32* finished;              // [sequences]; 1 where an answer has ended, written by the host before it begins
    u32 sequence_count;
    u32 stop_count;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) advance_step(const __grid_constant__ Args args) {
    const u32 sequence = blockIdx.x * BLOCK_THREADS + threadIdx.x;
    if (sequence >= args.sequence_count || args.finished[sequence] != 0)
        return;
    SequenceSpan& span = args.sequences[sequence];
    span.past_length += span.row_count;
    for (u32 i = 0; i < args.stop_count; i++)
        if (args.ids[sequence] == args.stop_ids[i])
            args.finished[sequence] = 1;
}
