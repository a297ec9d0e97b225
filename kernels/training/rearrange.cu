// Copies, an element a thread. FUNCTION 0: columns `first` and on of each row. 1: rows of patches with a row of zeros before each picture's, its class token's.
// 2: a row of pixels for each token, the columns of the patches' convolution; zeros for class tokens. Bounded by bytes.
#include "common/integers.cuh"

struct Args {
    const float* input;     // 0: [rows, input_columns]; 1: [rows without class tokens, columns]; 2: [pictures, 3, side, side]
    float* output;          // [rows, columns]
    u32 rows;
    u32 columns;
    u32 input_columns;
    u32 first;
    u32 picture_rows;       // 1, 2: tokens of a picture, its class token included
    u32 side;               // 2: of a picture
    u32 patch;              // 2: of a patch
    u32 unused;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");
static_assert(FUNCTION <= 2, "three copies");

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) rearrange(const __grid_constant__ Args args) {
    const u64 place = (u64)blockIdx.x * BLOCK_THREADS + threadIdx.x;
    if (place >= (u64)args.rows * args.columns)
        return;
    const u32 row = (u32)(place / args.columns), column = (u32)(place % args.columns);
    if constexpr (FUNCTION == 0) {
        args.output[place] = args.input[(u64)row * args.input_columns + args.first + column];
        return;
    }
    const u32 picture = row / args.picture_rows, token = row % args.picture_rows;
    if (token == 0) {
        args.output[place] = 0.0f;
    } else if constexpr (FUNCTION == 1) {
        args.output[place] = args.input[((u64)picture * (args.picture_rows - 1) + token - 1) * args.columns + column];
    } else {
        const u32 patches = args.side / args.patch, area = args.patch * args.patch;
        const u32 channel = column / area, y = (token - 1) / patches * args.patch + column % area / args.patch, x = (token - 1) % patches * args.patch + column % args.patch;
        args.output[place] = args.input[(((u64)picture * 3 + channel) * args.side + y) * args.side + x];
    }
}
