// Patches of pictures through a convolution whose stride is its size, the class token before them, the position table added:
//   output[image, 1 + patch, n] = sum over k of pixel(image, patch, k) · weight[n, k] + positions[1 + patch, n],  output[image, 0, n] = class_token[n] + positions[0, n]
// k counts channel, row and column of a patch; columns and rows of pixels beyond whole patches are not read. A GEMM of [images · patches, K] and [width, K]ᵀ,
// K = 588 for patches of 14: no multiple of anything, so each step of 32 is gathered element by element into shared memory, zero beyond K. Pixels are rounded
// to the weights' type there, once; sums and output are float. 1.5 GFLOP for a picture of 490 pixels, bounded by that gather: about 0.1 ms, once a picture.
// A block has 64 patches x 64 outputs, each of its four warps 32 x 32. Float weights: multiply-adds, 8 x 4 a thread.
#include "common/types.cuh"
#include "ptx/ldmatrix.cuh"
#include "ptx/mma.cuh"
#include "ptx/shared_memory.cuh"

constexpr u32 kChannels = 3;
constexpr u32 kSide = IMAGE_SIZE;
constexpr u32 kPatch = PATCH_SIZE;
constexpr u32 kGrid = kSide / kPatch;
constexpr u32 kPatches = kGrid * kGrid;
constexpr u32 kDepth = kChannels * kPatch * kPatch;
constexpr u32 kWidth = WIDTH;

constexpr u32 kTile = 64;
constexpr u32 kStep = 32;
constexpr u32 kThreads = BLOCK_THREADS;

static_assert(kThreads == 128 && kGrid > 0, "four warps; at least one patch");

struct Args {
    const float* pixels;        // [images, 3, side, side]
    const STORAGE* weight;      // [width, 3, patch, patch]
    const float* class_token;   // [width]
    const float* positions;     // [patches + 1, width]
    float* output;              // [images, patches + 1, width]
    u32 images;
};

static_assert(sizeof(Args) == ARGS_BYTES, "as the host has it");

constexpr bool kIsHalf = sizeof(STORAGE) == 2;

// Eight 16-bit elements of padding: the eight rows of an ldmatrix lie in different banks. One float: so do the rows of a column.
constexpr u32 kStride = kIsHalf ? kStep + 8 : kStep + 1;

struct Tiles {
    STORAGE pixels[kTile * kStride];
    STORAGE weights[kTile * kStride];
};

// Where the pixels of a row of the product begin.
__device__ __forceinline__ const float* patch_origin(const Args& args, u32 row) {
    const u32 image = row / kPatches, patch = row % kPatches;
    return args.pixels + (u64)image * kChannels * kSide * kSide + patch / kGrid * kPatch * kSide + patch % kGrid * kPatch;
}

// A warp fills rows of both tiles, a lane for each k.
__device__ __forceinline__ void fill(Tiles& tiles, const Args& args, u32 first_row, u32 rows, u32 first_output, u32 first_k) {
    const u32 lane = threadIdx.x % kWarpLanes, k = first_k + lane;
    const u32 channel = k / (kPatch * kPatch), y = k / kPatch % kPatch, x = k % kPatch;
    const u32 offset = (channel * kSide + y) * kSide + x;
#pragma unroll 4
    for (u32 row = threadIdx.x / kWarpLanes; row < kTile; row += kThreads / kWarpLanes) {
        const bool has_pixel = k < kDepth && first_row + row < rows;
        const bool has_weight = k < kDepth && first_output + row < kWidth;
        const float pixel = has_pixel ? patch_origin(args, first_row + row)[offset] : 0.0f;
        tiles.pixels[row * kStride + lane] = from_float<STORAGE>(pixel);
        tiles.weights[row * kStride + lane] = has_weight ? args.weight[(u64)(first_output + row) * kDepth + k] : from_float<STORAGE>(0.0f);
    }
}

__device__ __forceinline__ void store(const Args& args, u32 row, u32 rows, u32 output, float sum) {
    if (row >= rows || output >= kWidth)
        return;
    const u32 image = row / kPatches, patch = row % kPatches;
    float* destination = args.output + ((u64)image * (kPatches + 1) + 1 + patch) * kWidth + output;
    *destination = sum + args.positions[(u64)(1 + patch) * kWidth + output];
    // Whoever has the first patch of a picture writes the class token's row, which is the one before.
    if (patch == 0)
        *(destination - kWidth) = args.class_token[output] + args.positions[output];
}

#if __CUDA_ARCH__ >= 800
__device__ __forceinline__ void multiply(float (&sums)[4], const u32 (&a)[4], u32 b0, u32 b1, f16) {
    mma_m16n8k16_f32_f16(sums, a, b0, b1);
}

__device__ __forceinline__ void multiply(float (&sums)[4], const u32 (&a)[4], u32 b0, u32 b1, bf16) {
    mma_m16n8k16_f32_bf16(sums, a, b0, b1);
}
#else
__device__ __forceinline__ void multiply(float (&sums)[4], const u32 (&a)[4], u32 b0, u32 b1, f16) {
    mma_m16n8k8_f32_f16(sums, a[0], a[1], b0);
    mma_m16n8k8_f32_f16(sums, a[2], a[3], b1);
}
#endif

// 16-bit storage, on tensor cores.
template <typename T>
__device__ __forceinline__ void embed(const Args& args, Tiles& tiles, u32 rows, u32 first_row, u32 first_output, T type) {
    const u32 lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes;
    const u32 warp_row = warp / 2 * 32, warp_output = warp % 2 * 32;
    // Of 16 x 16 elements: the lane's row of the tile and its half of 8 columns, for A and for two tiles of B.
    const u32 a_base = cvta_to_shared(tiles.pixels) + ((warp_row + lane % 16) * kStride + lane / 16 * 8) * sizeof(T);
    const u32 b_base = cvta_to_shared(tiles.weights) + ((warp_output + lane % 8 + lane / 16 * 8) * kStride + lane / 8 % 2 * 8) * sizeof(T);
    float sums[2][4][4] = {};
    for (u32 first_k = 0; first_k < kDepth; first_k += kStep) {
        fill(tiles, args, first_row, rows, first_output, first_k);
        __syncthreads();
#pragma unroll
        for (u32 k = 0; k < kStep; k += 16) {
            u32 a[2][4], b[2][4];
#pragma unroll
            for (u32 half = 0; half < 2; half++) {
                ldmatrix_x4(a[half], a_base + (half * 16 * kStride + k) * sizeof(T));
                ldmatrix_x4(b[half], b_base + (half * 16 * kStride + k) * sizeof(T));
            }
#pragma unroll
            for (u32 i = 0; i < 2; i++)
#pragma unroll
                for (u32 j = 0; j < 4; j++)
                    multiply(sums[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1], type);
        }
        __syncthreads();
    }
#pragma unroll
    for (u32 i = 0; i < 2; i++)
#pragma unroll
        for (u32 j = 0; j < 4; j++)
#pragma unroll
            for (u32 e = 0; e < 4; e++)
                store(args, first_row + warp_row + i * 16 + lane / 4 + e / 2 * 8, rows, first_output + warp_output + j * 8 + lane % 4 * 2 + e % 2,
                      sums[i][j][e]);
}

__device__ __forceinline__ void embed(const Args& args, Tiles& tiles, u32 rows, u32 first_row, u32 first_output, float) {
    const u32 thread_row = threadIdx.x / 16 * 8, thread_output = threadIdx.x % 16;
    float sums[8][4] = {};
    for (u32 first_k = 0; first_k < kDepth; first_k += kStep) {
        fill(tiles, args, first_row, rows, first_output, first_k);
        __syncthreads();
        for (u32 k = 0; k < kStep; k++)
#pragma unroll
            for (u32 i = 0; i < 8; i++)
#pragma unroll
                for (u32 j = 0; j < 4; j++)
                    sums[i][j] += to_float(tiles.pixels[(thread_row + i) * kStride + k]) * to_float(tiles.weights[(thread_output + 16 * j) * kStride + k]);
        __syncthreads();
    }
#pragma unroll
    for (u32 i = 0; i < 8; i++)
#pragma unroll
        for (u32 j = 0; j < 4; j++)
            store(args, first_row + thread_row + i, rows, first_output + thread_output + 16 * j, sums[i][j]);
}

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) patch_embedding(const __grid_constant__ Args args) {
    __shared__ __align__(16) Tiles tiles;
    embed(args, tiles, args.images * kPatches, blockIdx.x * kTile, blockIdx.y * kTile, STORAGE{});
}
