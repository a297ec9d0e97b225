// CUDA's mathematical functions. Where the device approximates, the host computes the rounded value: what differs is left to a real GPU.
#pragma once
#include "emulated/language.h"

extern "C" {
float expf(float);
float exp2f(float);
float expm1f(float);
float logf(float);
float log2f(float);
float log1pf(float);
float powf(float, float);
float sqrtf(float);
float sinf(float);
float cosf(float);
float tanhf(float);
float erff(float);
float fmaf(float, float, float);
float floorf(float);
float ceilf(float);
float truncf(float);
float roundf(float);
float rintf(float);
float ldexpf(float, int);
float fmodf(float, float);
double exp(double);
double log(double);
double sqrt(double);
double fma(double, double, double);
int printf(const char*, ...);
}

#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")

EMULATED_INLINE float fminf(float a, float b) { return __builtin_fminf(a, b); }
EMULATED_INLINE float fmaxf(float a, float b) { return __builtin_fmaxf(a, b); }
EMULATED_INLINE float fabsf(float a) { return __builtin_fabsf(a); }
EMULATED_INLINE float copysignf(float a, float b) { return __builtin_copysignf(a, b); }
EMULATED_INLINE bool isnan(float a) { return __builtin_isnan(a); }
EMULATED_INLINE bool isinf(float a) { return __builtin_isinf(a); }
EMULATED_INLINE bool isfinite(float a) { return __builtin_isfinite(a); }
EMULATED_INLINE float rsqrtf(float a) { return (float)(1.0 / __builtin_sqrt((double)a)); }
EMULATED_INLINE int abs(int a) { return a < 0 ? -a : a; }

EMULATED_INLINE int min(int a, int b) { return a < b ? a : b; }
EMULATED_INLINE int max(int a, int b) { return a > b ? a : b; }
EMULATED_INLINE unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
EMULATED_INLINE unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
EMULATED_INLINE long long min(long long a, long long b) { return a < b ? a : b; }
EMULATED_INLINE long long max(long long a, long long b) { return a > b ? a : b; }
EMULATED_INLINE unsigned long long min(unsigned long long a, unsigned long long b) { return a < b ? a : b; }
EMULATED_INLINE unsigned long long max(unsigned long long a, unsigned long long b) { return a > b ? a : b; }
EMULATED_INLINE float min(float a, float b) { return fminf(a, b); }
EMULATED_INLINE float max(float a, float b) { return fmaxf(a, b); }

EMULATED_INLINE float __expf(float a) { return expf(a); }
EMULATED_INLINE float __logf(float a) { return logf(a); }
EMULATED_INLINE float __log2f(float a) { return log2f(a); }
EMULATED_INLINE float __powf(float a, float b) { return powf(a, b); }
EMULATED_INLINE float __fdividef(float a, float b) { return a / b; }
EMULATED_INLINE float __fdiv_rn(float a, float b) { return a / b; }
EMULATED_INLINE float __frcp_rn(float a) { return 1.0f / a; }
EMULATED_INLINE float __fsqrt_rn(float a) { return sqrtf(a); }
EMULATED_INLINE float __frsqrt_rn(float a) { return rsqrtf(a); }
EMULATED_INLINE float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
EMULATED_INLINE float __fadd_rn(float a, float b) { return a + b; }
EMULATED_INLINE float __fsub_rn(float a, float b) { return a - b; }
EMULATED_INLINE float __fmul_rn(float a, float b) { return a * b; }
EMULATED_INLINE float __saturatef(float a) { return a > 0 ? (a < 1 ? a : 1.0f) : 0.0f; }

EMULATED_INLINE int __float2int_rn(float a) {
    if (a != a) return 0;
    if (a >= 2147483648.0f) return 0x7FFFFFFF;
    if (a < -2147483648.0f) return -0x7FFFFFFF - 1;
    return (int)rintf(a);
}
EMULATED_INLINE unsigned __float2uint_rn(float a) {
    if (!(a > 0)) return 0;
    if (a >= 4294967296.0f) return 0xFFFFFFFFu;
    return (unsigned)rintf(a);
}
EMULATED_INLINE int __float2int_rd(float a) { return __float2int_rn(floorf(a)); }
EMULATED_INLINE int __float2int_rz(float a) { return __float2int_rn(truncf(a)); }
EMULATED_INLINE float __int2float_rn(int a) { return (float)a; }
EMULATED_INLINE float __uint2float_rn(unsigned a) { return (float)a; }

EMULATED_INLINE int __popc(unsigned a) { return __builtin_popcount(a); }
EMULATED_INLINE int __popcll(unsigned long long a) { return __builtin_popcountll(a); }
EMULATED_INLINE int __clz(int a) { return a == 0 ? 32 : __builtin_clz((unsigned)a); }
EMULATED_INLINE int __ffs(int a) { return __builtin_ffs(a); }
EMULATED_INLINE unsigned __brev(unsigned a) {
    a = (a >> 1 & 0x55555555u) | (a & 0x55555555u) << 1;
    a = (a >> 2 & 0x33333333u) | (a & 0x33333333u) << 2;
    a = (a >> 4 & 0x0F0F0F0Fu) | (a & 0x0F0F0F0Fu) << 4;
    return __builtin_bswap32(a);
}
EMULATED_INLINE unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((unsigned long long)a * b >> 32); }
EMULATED_INLINE int __mulhi(int a, int b) { return (int)((long long)a * b >> 32); }
EMULATED_INLINE unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
EMULATED_INLINE unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
    return (unsigned)((((unsigned long long)high << 32 | low) << (shift & 31)) >> 32);
}
EMULATED_INLINE unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
    return (unsigned)(((unsigned long long)high << 32 | low) >> (shift & 31));
}
EMULATED_INLINE unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
    unsigned long long bytes = (unsigned long long)b << 32 | a;
    unsigned d = 0;
    for (unsigned i = 0; i < 4; i++)
        d |= (unsigned)(bytes >> 8 * (selector >> 4 * i & 7) & 0xFF) << 8 * i;
    return d;
}
