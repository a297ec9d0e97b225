// What cuTensorMapEncodeTiled makes: 128 bytes that only this device understands, and the boxes that a copy takes through it.
#pragma once
#include <vector>
#include "emulated/seam.h"
#include "numbers.h"

namespace emulation {

constexpr u32 kMostDimensions = 5;

struct TensorMap {
    u64 magic;
    u64 address;
    u64 sizes[kMostDimensions];             // elements; the innermost first
    u64 strides[kMostDimensions - 1];       // bytes, of dimension 1 and up
    u16 box[kMostDimensions];               // elements
    u8 rank;
    u8 element_bytes;
    u8 swizzle_bytes;                       // 0, 32, 64 or 128

    // Null where what the pointer shows is no map.
    static const TensorMap* at(const void* memory);

    u32 box_bytes() const;
};

static_assert(sizeof(TensorMap) <= 128);

// 16 bytes of a box, of which `count` from `skip` on exist in the tensor.
struct BoxChunk {
    u32 shared_address;
    u64 global;             // of the first that exists
    u8 skip;
    u8 count;
};

std::vector<BoxChunk> chunks_of_box(const TensorMap& map, const int* coordinates, u32 shared_address);

// Absolute shared addresses, as copies and wgmma swizzle them: 16-byte chunks of a pattern change places by its row.
inline u32 swizzled(u32 shared_address, u32 swizzle_bytes) {
    const u32 rows = swizzle_bytes / 16;
    return rows == 0 ? shared_address : shared_address ^ (shared_address >> 7 & (rows - 1)) << 4;
}

}
