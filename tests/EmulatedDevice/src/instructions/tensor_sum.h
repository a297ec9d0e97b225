// How tensor cores add where XC2_EMULATED_SUMS is "truncated": some products and the sum so far are aligned to the greatest of them, bits below the last
// kept place are dropped, and so are those below the last place of the result. Each addition moves the sum toward zero by up to 2^-23 of it: a bias, which
// grows with the number of additions, where rounding to nearest is off in both directions. As measured and published for V100, T4, A100 and H100 (Fasi,
// Higham, Mikaitis and Pranesh, "Numerical behavior of NVIDIA tensor cores", and its sequel): how many products are added at once, and how many bits are
// kept below the 24 of the greatest, depends on the generation.
#pragma once
#include <bit>
#include <cmath>
#include "configuration.h"
#include "numbers.h"

namespace emulation {

struct TensorSum {
    u32 products;       // added at once, beside the sum so far
    u32 extra_bits;     // kept in the alignment

    static TensorSum of_device() {
        const u32 architecture = Configuration::instance().architecture;
        return architecture < 80 ? TensorSum{4, 0} : architecture < 90 ? TensorSum{8, 1} : TensorSum{16, 2};
    }
};

constexpr u32 kMostProducts = 16;

// d[column] += the sum of a[i] * b[i][column], one addition of all. Products of 16-bit values are exact in double, and so are sums of aligned ones.
template <u32 columns>
inline void add_truncated(const float* a, const float (*b)[columns], float* d, TensorSum form) {
    double terms[kMostProducts + 1][columns], greatest[columns], plain[columns], unit[columns], inverse[columns], sum[columns];
    for (u32 c = 0; c < columns; c++) {
        terms[0][c] = plain[c] = d[c];
        greatest[c] = std::fabs(terms[0][c]);
        sum[c] = 0;
    }
    for (u32 i = 0; i < form.products; i++)
        for (u32 c = 0; c < columns; c++) {
            terms[i + 1][c] = (double)a[i] * (double)b[i][c];
            plain[c] += terms[i + 1][c];
            const double magnitude = std::fabs(terms[i + 1][c]);
            greatest[c] = magnitude > greatest[c] ? magnitude : greatest[c];
        }
    for (u32 c = 0; c < columns; c++) {
        // The smallest normal float stands for zero, so that exponents stay in range.
        const u64 exponent = std::bit_cast<u64>(greatest[c] > 0x1p-126 ? greatest[c] : 0x1p-126) >> 52 & 0x7FF;
        unit[c] = std::bit_cast<double>((exponent - 23 - form.extra_bits) << 52);
        inverse[c] = std::bit_cast<double>((2046 - exponent + 23 + form.extra_bits) << 52);
    }
    for (u32 i = 0; i <= form.products; i++)
        for (u32 c = 0; c < columns; c++)
            sum[c] += __builtin_trunc(terms[i][c] * inverse[c]);
    for (u32 c = 0; c < columns; c++) {
        // A double has 29 bits of fraction more than a float.
        const double kept = std::bit_cast<double>(std::bit_cast<u64>(sum[c] * unit[c]) & ~((1ull << 29) - 1));
        d[c] = (float)(std::isfinite(plain[c]) ? kept : plain[c]);
    }
}

}
