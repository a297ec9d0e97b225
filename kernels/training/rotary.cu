// Rotates queries and keys (half-split) of a packed projection by each row's place in its sequence, and copies the values; by the opposite angle where INVERSE, which is
// the gradient. A block a row, a thread a pair. Bounded by bytes.
#include "common/integers.cuh"

constexpr u32 kHalf = HEAD_SIZE / 2, kGroup = GROUP_SIZE + 2;

struct Args {
    const float* packed;    // [rows, heads, 2 kHalf]: of each key/value head its queries, its key, its value
    const float* table;     // [positions, kHalf] pairs of cosine and sine
    const i32* starts;      // [rows], the first row of each row's sequence; null where all rows are one
    float* output;          // as packed
    u32 rows;
    u32 heads;              // of all three kinds
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");
static_assert(HEAD_SIZE % 2 == 0, "two halves");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) rotary(const __grid_constant__ Args args) {
    const u32 row = blockIdx.x;
    const u32 position = args.starts == nullptr ? row : row - (u32)args.starts[row];
    const float* angles = args.table + (u64)position * kHalf * 2;
    for (u32 index = threadIdx.x; index < args.heads * kHalf; index += BLOCK_THREADS) {
        const u32 head = index / kHalf, column = index % kHalf;
        const u64 place = ((u64)row * args.heads + head) * 2 * kHalf + column;
        const float first = args.packed[place], second = args.packed[place + kHalf];
        const bool is_value = head % kGroup == kGroup - 1;
        const float cosine = is_value ? 1.0f : angles[2 * column];
        const float sine = is_value ? 0.0f : INVERSE ? -angles[2 * column + 1] : angles[2 * column + 1];
        args.output[place] = first * cosine - second * sine;
        args.output[place + kHalf] = second * cosine + first * sine;
    }
}
