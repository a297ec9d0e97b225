// mma.sync: the fragments of 32 lanes put together, multiplied, taken apart. Products of 16-bit values are exact in float; sums are float's, or
// truncated as tensor cores do it.
#include <bit>
#include "configuration.h"
#include "execution/block.h"
#include "instructions/formats.h"
#include "instructions/tensor_sum.h"

using namespace emulation;

namespace {

constexpr u32 kRows = 16;
constexpr u32 kColumns = 8;

// slot: a 0-3, b 4-5, c 6-9, type and k 10.
constexpr u32 kB = 4;
constexpr u32 kC = 6;
constexpr u32 kShape = 10;

// Element i of a lane's A fragment stands at row g + 8 (i / per % 2), column t per + i % per + 4 per (i / 2 per); of B at row t per + i % per
// + 4 per (i / per), column g; where per elements fill a register, g = lane / 4, t = lane % 4.
template <u32 k, u32 per, typename T, typename Decode>
void gather(const Warp& warp, T (&a)[kRows][k], T (&b)[k][kColumns], Decode decode) {
    for (u32 lane = 0; lane < kWarpLanes; lane++) {
        const u32* slot = warp.threads[lane].slot;
        const u32 g = lane / 4, t = lane % 4;
        for (u32 i = 0; i < kRows * k / kWarpLanes; i++)
            a[g + 8 * (i / per % 2)][t * per + i % per + 4 * per * (i / (2 * per))] = decode(slot[i / per], i % per);
        for (u32 i = 0; i < k * kColumns / kWarpLanes; i++)
            b[t * per + i % per + 4 * per * (i / per)][g] = decode(slot[kB + i / per], i % per);
    }
}

template <u32 k, typename T>
void multiply(const T (&a)[kRows][k], const T (&b)[k][kColumns], T (&d)[kRows][kColumns]) {
    for (u32 row = 0; row < kRows; row++)
        for (u32 step = 0; step < k; step++)
            for (u32 column = 0; column < kColumns; column++)
                d[row][column] += a[row][step] * b[step][column];
}

template <u32 k>
void multiply_truncated(const float (&a)[kRows][k], const float (&b)[k][kColumns], float (&d)[kRows][kColumns]) {
    TensorSum form = TensorSum::of_device();
    form.products = form.products < k ? form.products : k;
    for (u32 row = 0; row < kRows; row++)
        for (u32 step = 0; step < k; step += form.products)
            add_truncated<kColumns>(a[row] + step, b + step, d[row], form);
}

template <typename T, typename Read>
void gather_sums(const Warp& warp, T (&d)[kRows][kColumns], Read read) {
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        for (u32 i = 0; i < 4; i++)
            d[lane / 4 + 8 * (i / 2)][lane % 4 * 2 + i % 2] = read(warp.threads[lane].slot + kC, i);
}

template <typename T, typename Write>
void scatter_sums(Warp& warp, const T (&d)[kRows][kColumns], Write write) {
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        for (u32 i = 0; i < 4; i++)
            write(warp.threads[lane].slot, i, d[lane / 4 + 8 * (i / 2)][lane % 4 * 2 + i % 2]);
}

template <u32 k>
void multiply_16_bit(Warp& warp, emulated_mma_type type, float (&d)[kRows][kColumns]) {
    float a[kRows][k], b[k][kColumns];
    if (type == emulated_mma_bf16)
        gather<k, 2>(warp, a, b, [](u32 bits, u32 half) { return f32_from_bf16((u16)(bits >> 16 * half)); });
    else
        gather<k, 2>(warp, a, b, [](u32 bits, u32 half) { return f32_from_f16((u16)(bits >> 16 * half)); });
    Configuration::instance().sums == Sums::truncated ? multiply_truncated<k>(a, b, d) : multiply<k>(a, b, d);
}

void compute_f32(Warp& warp, u32) {
    const u32 shape = hot.current->slot[kShape];
    float d[kRows][kColumns];
    gather_sums(warp, d, [](const u32* c, u32 i) { return std::bit_cast<float>(c[i]); });
    shape & 16 ? multiply_16_bit<16>(warp, (emulated_mma_type)(shape >> 8), d) : multiply_16_bit<8>(warp, (emulated_mma_type)(shape >> 8), d);
    scatter_sums(warp, d, [](u32* slot, u32 i, float value) { slot[i] = std::bit_cast<u32>(value); });
}

void compute_half(Warp& warp, u32) {
    float d[kRows][kColumns];
    gather_sums(warp, d, [](const u32* c, u32 i) { return f32_from_f16((u16)(c[i / 2] >> 16 * (i % 2))); });
    hot.current->slot[kShape] & 16 ? multiply_16_bit<16>(warp, emulated_mma_f16, d) : multiply_16_bit<8>(warp, emulated_mma_f16, d);
    scatter_sums(warp, d, [](u32* slot, u32 i, float value) {
        const u32 shift = 16 * (i % 2);
        slot[i / 2] = (slot[i / 2] & ~(0xFFFFu << shift)) | (u32)f16_from_f32(value) << shift;
    });
}

template <u32 k>
void multiply_bytes(Warp& warp, i32 (&d)[kRows][kColumns]) {
    i32 a[kRows][k], b[k][kColumns];
    gather<k, 4>(warp, a, b, [](u32 bits, u32 byte) { return (i32)(i8)(bits >> 8 * byte); });
    multiply<k>(a, b, d);
}

void compute_s32(Warp& warp, u32) {
    i32 d[kRows][kColumns];
    gather_sums(warp, d, [](const u32* c, u32 i) { return (i32)c[i]; });
    hot.current->slot[kShape] & 32 ? multiply_bytes<32>(warp, d) : multiply_bytes<16>(warp, d);
    scatter_sums(warp, d, [](u32* slot, u32 i, i32 value) { slot[i] = (u32)value; });
}

const Instruction kFloat = {"mma.sync", true, FaultKind::divergent_warp, &compute_f32};
const Instruction kHalf = {"mma.sync (f16 sums)", true, FaultKind::divergent_warp, &compute_half};
const Instruction kInteger = {"mma.sync (s8)", true, FaultKind::divergent_warp, &compute_s32};

u32* operands(u32 a0, u32 a1, u32 a2, u32 a3, u32 b0, u32 b1, u32 shape) {
    u32* slot = hot.current->slot;
    slot[0] = a0, slot[1] = a1, slot[2] = a2, slot[3] = a3, slot[kB] = b0, slot[kB + 1] = b1, slot[kShape] = shape;
    return slot;
}

}

emulated_floats emulated_mma_f32(emulated_mma_type type, unsigned k, unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1,
                                 float c0, float c1, float c2, float c3, emulated_site site) {
    u32* slot = operands(a0, a1, a2, a3, b0, b1, k | (u32)type << 8);
    const float c[4] = {c0, c1, c2, c3};
    for (u32 i = 0; i < 4; i++)
        slot[kC + i] = std::bit_cast<u32>(c[i]);
    Block::instance().exchange(kFloat, 0xFFFFFFFF, slot[kShape], site);
    return {{std::bit_cast<float>(slot[0]), std::bit_cast<float>(slot[1]), std::bit_cast<float>(slot[2]), std::bit_cast<float>(slot[3])}};
}

emulated_pair emulated_mma_half(unsigned k, unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1,
                                unsigned c0, unsigned c1, emulated_site site) {
    u32* slot = operands(a0, a1, a2, a3, b0, b1, k);
    slot[kC] = c0, slot[kC + 1] = c1;
    Block::instance().exchange(kHalf, 0xFFFFFFFF, k, site);
    return {{slot[0], slot[1]}};
}

emulated_quad emulated_mma_s32(unsigned k, unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1,
                               unsigned c0, unsigned c1, unsigned c2, unsigned c3, emulated_site site) {
    u32* slot = operands(a0, a1, a2, a3, b0, b1, k);
    slot[kC] = c0, slot[kC + 1] = c1, slot[kC + 2] = c2, slot[kC + 3] = c3;
    Block::instance().exchange(kInteger, 0xFFFFFFFF, k, site);
    return {{slot[0], slot[1], slot[2], slot[3]}};
}
