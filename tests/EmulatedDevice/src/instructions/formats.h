// Bits of the 16-bit formats to float and back, to nearest even; a NaN becomes 0x7FFF.
#pragma once
#include <bit>
#include <cmath>
#include "numbers.h"

namespace emulation {

inline float f32_from_bf16(u16 a) {
    return std::bit_cast<float>((u32)a << 16);
}

inline u16 bf16_from_f32(float a) {
    const u32 bits = std::bit_cast<u32>(a);
    return (bits & 0x7FFFFFFFu) > 0x7F800000u ? 0x7FFF : (u16)((bits + 0x7FFFu + (bits >> 16 & 1)) >> 16);
}

inline float f32_from_f16(u16 a) {
    const u32 sign = (u32)(a & 0x8000) << 16, exponent = a >> 10 & 31, fraction = a & 0x3FF;
    if (exponent == 31)
        return std::bit_cast<float>(sign | 0x7F800000u | fraction << 13);
    if (exponent != 0)
        return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
    const float magnitude = (float)fraction * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
}

inline u16 f16_from_f32(float a) {
    const u32 bits = std::bit_cast<u32>(a), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u)
        return 0x7FFF;
    if (magnitude >= 0x47800000u)                                           // 65536 and more
        return (u16)(sign | 0x7C00);
    if (magnitude >= 0x38800000u) {                                         // normal: may round up to infinity
        const u32 rounded = magnitude + 0xFFFu + (magnitude >> 13 & 1);
        return (u16)(sign | (rounded - 0x38000000u) >> 13);
    }
    // Subnormal: adding 1/2 makes the unit in the last place 2^-24, so the addition rounds as wanted.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return (u16)(sign | (std::bit_cast<u32>(shifted) - 0x3F000000u));
}

}
