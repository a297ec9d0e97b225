// panel = weights as STORAGE: integers with scales become the 16-bit matrix that the kernels of many rows multiply.
//
//   weights [OUT_FEATURES, IN_FEATURES] as the decode kernel reads them: int8 row by row with a scale a row, or int8 and int4 with a scale, and perhaps a zero
//   point, for each group of columns (int8_weights.cuh, int4_weights.cuh). panel [OUT_FEATURES, IN_FEATURES] row by row, columns in the input's order.
//   An element is (q - zero) · scale, formed in f32 and rounded once.
//
// A warp takes a unit of 16 outputs x 64 columns: a lane rows g and g + 8 of two vectors of eight columns each. Grid: x = columns of 8 warps' units, y = strip.
// Bounded by bytes: the weights and 2 bytes an element, some 0.13 ms for a layer of the 7B at 4.3 TB/s.
#include "common/packed.cuh"
#include "common/types.cuh"
#include "gemm/int4_weights.cuh"
#include "gemm/int8_weights.cuh"
#include "gemm/weight_format.cuh"
#include "ptx/ld.cuh"

#if WEIGHT_INT4
using Weight = u8;
#else
using Weight = i8;
#endif

struct DequantizeArguments {
    const Weight* weight;
    const void* weight_scale;   // f32 [OUT_FEATURES], or, of groups, f16 [strips, groups, 8, 2]
    const u8* weight_zero;      // [strips, groups, 8, 2], WEIGHT_ZEROS only
    const i32* column_order;    // [IN_FEATURES], the panel's column for each of the weights', WEIGHT_ORDER only
    STORAGE* panel;
};

static_assert(sizeof(DequantizeArguments) == ARGS_BYTES, "as the host lays it out");
static_assert(WEIGHT_INT8 || WEIGHT_INT4, "integers");
static_assert(IN_FEATURES % 16 == 0, "rows of whole 16-byte chunks");

constexpr u32 kStripRows = 16, kUnitColumns = 64;
constexpr u32 kUnits = (IN_FEATURES + kUnitColumns - 1) / kUnitColumns;
// What a group of a row has beside its integers.
struct RowGroup {
    float scale;
    float zero;
};

__device__ __forceinline__ RowGroup group_of(const DequantizeArguments& args, u32 strip, u32 strip_row, u32 column) {
#if WEIGHT_GROUP
    constexpr u32 kGroups = (IN_FEATURES + WEIGHT_GROUP - 1) / WEIGHT_GROUP;
    const u32 place = ((strip * kGroups + column / WEIGHT_GROUP) * 8 + strip_row % 8) * 2 + strip_row / 8;
    const float scale = to_float(static_cast<const f16*>(args.weight_scale)[place]);
    const float bias = WEIGHT_INT4 ? 0.0f : 128.0f;
    return {scale, WEIGHT_ZEROS ? (float)args.weight_zero[place] - bias : WEIGHT_INT4 ? (float)kInt4Bias : 0.0f};
#else
    return {static_cast<const float*>(args.weight_scale)[strip * kStripRows + strip_row], 0.0f};
#endif
}

// Eight columns of a row, from the column on.
__device__ __forceinline__ void store_vector(const DequantizeArguments& args, u32 row, u32 column, const float (&values)[8]) {
    STORAGE* const target = args.panel + (i64)row * IN_FEATURES;
#if WEIGHT_ORDER
#pragma unroll
    for (u32 i = 0; i < 8; i++)
        target[args.column_order[column + i]] = from_float<STORAGE>(values[i]);
#else
    if constexpr (sizeof(STORAGE) == 2) {
        st_global_v4(target + column, {pack_pair<STORAGE>(values[0], values[1]), pack_pair<STORAGE>(values[2], values[3]),
                                       pack_pair<STORAGE>(values[4], values[5]), pack_pair<STORAGE>(values[6], values[7])});
    } else {
        store4(target + column, {values[0], values[1], values[2], values[3]});
        store4(target + column + 4, {values[4], values[5], values[6], values[7]});
    }
#endif
}

// An integer below 2^23 that is none above: no conversion, which is slow.
__device__ __forceinline__ float from_bits(u32 integer) {
    return __uint_as_float(0x4B000000u | integer) - 8388608.0f;
}

#if WEIGHT_INT4
// Word j of a lane: columns 4 (j % 2) to 4 (j % 2) + 3 of vector j / 2, of row g in even places of nibbles, of row g + 8 in odd ones.
__device__ __forceinline__ void dequantize_unit(const DequantizeArguments& args, u32 strip, u32 unit) {
    const u32 lane = threadIdx.x % kWarpLanes;
    const uint4 words = ld_global_nc_no_allocate_v4(args.weight + ((i64)strip * kUnits + unit) * (kUnitColumns * kStripRows / 2) + lane * 16);
#pragma unroll
    for (u32 vector = 0; vector < 2; vector++) {
        const u32 column = unit * kUnitColumns + vector * 32 + lane % 4 * 8;
        const u32 pair[2] = {vector == 0 ? words.x : words.z, vector == 0 ? words.y : words.w};
#pragma unroll
        for (u32 half = 0; half < 2; half++) {
            const u32 strip_row = lane / 4 + 8 * half;
            const RowGroup group = group_of(args, strip, strip_row, column);
            float values[8];
#pragma unroll
            for (u32 i = 0; i < 8; i++)
                values[i] = (from_bits(pair[i / 4] >> 4 * (i % 4 / 2 * 2 + half + i % 2 * 4) & 15) - group.zero) * group.scale;
            store_vector(args, strip * kStripRows + strip_row, column, values);
        }
    }
}
#else
__device__ __forceinline__ void dequantize_unit(const DequantizeArguments& args, u32 strip, u32 unit) {
    const u32 lane = threadIdx.x % kWarpLanes;
    const u32 column = unit * kUnitColumns + lane % 4 * 16;
    if (column >= IN_FEATURES)
        return;
#pragma unroll
    for (u32 half = 0; half < 2; half++) {
        const u32 strip_row = lane / 4 + 8 * half, row = strip * kStripRows + strip_row;
        if (OUT_FEATURES % kStripRows != 0 && row >= OUT_FEATURES)
            continue;
        const uint4 words = ld_global_nc_no_allocate_v4(args.weight + (i64)row * IN_FEATURES + column);
        const u32 word[4] = {words.x ^ 0x80808080u, words.y ^ 0x80808080u, words.z ^ 0x80808080u, words.w ^ 0x80808080u};
        const RowGroup group = group_of(args, strip, strip_row, column);
#pragma unroll
        for (u32 vector = 0; vector < 2; vector++) {
            float values[8];
#pragma unroll
            for (u32 i = 0; i < 8; i++)
                values[i] = (from_bits(word[i / 2] >> 8 * (vector * 2 + i % 2) & 0xFF) - (group.zero + 128.0f)) * group.scale;
            store_vector(args, row, column + vector * 8, values);
        }
    }
}
#endif

extern "C" __global__ void __launch_bounds__(BLOCK_THREADS) dequantize(const __grid_constant__ DequantizeArguments args) {
    const u32 unit = blockIdx.x * (BLOCK_THREADS / kWarpLanes) + threadIdx.x / kWarpLanes;
    if (unit < kUnits)
        dequantize_unit(args, blockIdx.y, unit);
}
