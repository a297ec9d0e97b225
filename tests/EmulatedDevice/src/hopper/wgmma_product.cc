#include "hopper/wgmma_product.h"
#include <cstring>
#include "configuration.h"
#include "hopper/async_proxy.h"
#include "instructions/formats.h"
#include "instructions/tensor_sum.h"

namespace emulation {

static constexpr u32 kColumns = 8;

void add_runs(const MatrixDescriptor& descriptor, u32 rows, std::vector<u32>& runs) {
    const u32 outer = descriptor.transposed() ? kWgmmaDepth : rows, inner = (descriptor.transposed() ? rows : kWgmmaDepth) / 8;
    for (u32 i = 0; i < outer; i++)
        for (u32 run = 0; run < inner; run++)
            runs.push_back(descriptor.run_address(i, run));
}

// Calls put(row, k, value) for each element.
template <typename Put>
static const u32* load(const u32* run, u32 rows, bool transposed, bool is_bf16, emulated_site site, Put put) {
    const u32 outer = transposed ? kWgmmaDepth : rows, inner = (transposed ? rows : kWgmmaDepth) / 8;
    for (u32 i = 0; i < outer; i++)
        for (u32 j = 0; j < inner; j++) {
            u16 elements[8];
            std::memcpy(elements, chunk_at(*run++, "a wgmma reads", site).data, sizeof elements);
            for (u32 e = 0; e < 8; e++) {
                const float value = is_bf16 ? f32_from_bf16(elements[e]) : f32_from_f16(elements[e]);
                transposed ? put(8 * j + e, i, value) : put(i, 8 * j + e, value);
            }
        }
    return run;
}

static void load_registers(const u32 (*registers)[4], bool is_bf16, float (*a)[kWgmmaDepth]) {
    for (u32 thread = 0; thread < kWarpgroupThreads; thread++)
        for (u32 i = 0; i < 8; i++) {
            const u16 element = (u16)(registers[thread][i / 2] >> 16 * (i % 2));
            const u32 row = 16 * (thread / 32) + thread % 32 / 4 + 8 * (i / 2 % 2), k = 2 * (thread % 4) + i % 2 + 8 * (i / 4);
            a[row][k] = is_bf16 ? f32_from_bf16(element) : f32_from_f16(element);
        }
}

void multiply_wgmma(const WgmmaOperands& operands, const u32 (*a_registers)[4], const std::vector<u32>& runs, float* sums) {
    float a[kWgmmaRows][kWgmmaDepth];
    static float b[256 / kColumns][kWgmmaDepth][kColumns];
    const u32* run = runs.data();
    if (operands.a_place != nullptr)
        load_registers(a_registers, operands.is_bf16, a);
    else
        run = load(run, kWgmmaRows, operands.a_transposed, operands.is_bf16, operands.site, [&](u32 row, u32 k, float value) { a[row][k] = value; });
    load(run, operands.n, operands.b_transposed, operands.is_bf16, operands.site,
         [&](u32 column, u32 k, float value) { b[column / kColumns][k][column % kColumns] = value; });
    const bool truncates = Configuration::instance().sums == Sums::truncated;
    const TensorSum form{kWgmmaDepth, 2};
    for (u32 row = 0; row < kWgmmaRows; row++)
        for (u32 tile = 0; tile < operands.n / kColumns; tile++) {
            float* d = sums + row * operands.n + tile * kColumns;
            for (u32 column = 0; column < kColumns && !operands.accumulates; column++)
                d[column] = 0;
            if (truncates)
                add_truncated<kColumns>(a[row], b[tile], d, form);
            else
                for (u32 k = 0; k < kWgmmaDepth; k++)
                    for (u32 column = 0; column < kColumns; column++)
                        d[column] += a[row][k] * b[tile][k][column];
        }
}

}
