#include "instructions/formats.h"
#include "emulated/seam.h"

using namespace emulation;

float emulated_f32_from_f16(unsigned short a) { return f32_from_f16(a); }
unsigned short emulated_f16_from_f32(float a) { return f16_from_f32(a); }
unsigned short emulated_bf16_from_f32(float a) { return bf16_from_f32(a); }

// Products and sums of 16-bit values are exact in double, so there is one rounding... to float, and a second to 16 bits that can only differ from a
// single one at a tie; rounding the double to odd first removes that.
static float to_odd(double a) {
    const float rounded = (float)a;
    if ((double)rounded == a || std::isnan(rounded) || std::isinf(rounded))
        return rounded;
    u32 bits = std::bit_cast<u32>(rounded);
    if (std::fabs((double)rounded) > std::fabs(a))
        bits--;
    return std::bit_cast<float>(bits | 1);
}

template <typename Widen, typename Narrow>
static u32 on_pairs(emulated_pair_operation operation, u32 a, u32 b, u32 c, Widen widen, Narrow narrow) {
    u32 d = 0;
    for (u32 shift = 0; shift < 32; shift += 16) {
        const double x = widen((u16)(a >> shift)), y = widen((u16)(b >> shift)), z = widen((u16)(c >> shift));
        const double exact = operation == emulated_pair_add ? x + y : operation == emulated_pair_sub ? x - y
            : operation == emulated_pair_mul ? x * y : std::fma(x, y, z);
        d |= (u32)narrow(to_odd(exact)) << shift;
    }
    return d;
}

unsigned emulated_f16x2(emulated_pair_operation operation, unsigned a, unsigned b, unsigned c) {
    return on_pairs(operation, a, b, c, f32_from_f16, f16_from_f32);
}

unsigned emulated_bf16x2_fma(unsigned a, unsigned b, unsigned c) {
    return on_pairs(emulated_pair_fma, a, b, c, f32_from_bf16, bf16_from_f32);
}
