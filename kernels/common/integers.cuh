// Integers by their width. NVRTC has no <cstdint>.
#pragma once

using i8 = signed char;
using u8 = unsigned char;
using i16 = short;
using u16 = unsigned short;
using i32 = int;
using u32 = unsigned int;
using i64 = long long;
using u64 = unsigned long long;

static_assert(sizeof(u16) == 2 && sizeof(u32) == 4 && sizeof(u64) == 8 && sizeof(void*) == 8, "kernels assume 64-bit addresses");

constexpr u32 kWarpLanes = 32;
constexpr u32 kFullWarp = 0xFFFFFFFFu;
