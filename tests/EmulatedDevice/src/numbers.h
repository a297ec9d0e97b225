// Integers by their width, and sizes in three dimensions.
#pragma once
#include <cstdint>

namespace emulation {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i32 = std::int32_t;
using i64 = std::int64_t;

constexpr u32 kWarpLanes = 32;

struct Dim3 {
    u32 x = 1, y = 1, z = 1;

    u64 count() const { return (u64)x * y * z; }
    Dim3 at(u64 linear) const { return {(u32)(linear % x), (u32)(linear / x % y), (u32)(linear / x / y)}; }
    u64 linear(Dim3 index) const { return index.x + x * (index.y + (u64)y * index.z); }
};

}
