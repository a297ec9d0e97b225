// A wgmma operand in shared memory, as its 64-bit descriptor says.
#pragma once
#include "emulated/seam.h"
#include "numbers.h"

namespace emulation {

class MatrixDescriptor {
public:
    // Ends the block where the descriptor is none, or its pattern does not begin where the swizzle repeats.
    MatrixDescriptor(u64 bits, bool transposed, const char* operand, emulated_site site);

    // Eight neighbours along the dimension that is contiguous (k, or where transposed m or n): 16 bytes. outer: the other index; run: which eight.
    u32 run_address(u32 outer, u32 run) const;

    bool transposed() const { return mn_major; }

private:
    u32 start;
    u32 leading_bytes;
    u32 stride_bytes;
    u32 swizzle_bytes;
    bool mn_major;
};

}
