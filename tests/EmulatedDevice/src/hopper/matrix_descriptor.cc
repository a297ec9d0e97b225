#include "hopper/matrix_descriptor.h"
#include "execution/block.h"
#include "hopper/async_proxy.h"
#include "hopper/tensor_map.h"

namespace emulation {

// Bits 0-13 address, 16-29 leading and 32-45 stride offset, all in units of 16 bytes; 49-51 base offset; 62-63 swizzle.
static constexpr u64 kReserved = 3ull << 14 | 3ull << 30 | 7ull << 46 | 0x3FFull << 52;
static constexpr u32 kSwizzleBytes[] = {0, 128, 64, 32};

static u32 field(u64 bits, u32 shift) {
    return (u32)(bits >> shift & 0x3FFF) << 4;
}

MatrixDescriptor::MatrixDescriptor(u64 bits, bool transposed, const char* operand, emulated_site site)
    : start(field(bits, 0)), leading_bytes(field(bits, 16)), stride_bytes(field(bits, 32)), swizzle_bytes(kSwizzleBytes[bits >> 62]), mn_major(transposed) {
    Block& block = Block::instance();
    if (bits & kReserved)
        block.stop(FaultKind::bad_descriptor, bits, text("the descriptor 0x%016llx of %s sets bits that have no meaning", (unsigned long long)bits, operand),
                   nullptr, site);
    if (bits >> 49 & 7)
        block.stop(FaultKind::unsupported, bits, text("the descriptor of %s has a base offset, which is not emulated: let patterns begin where they repeat",
                                                      operand), nullptr, site);
    // A k step may begin within a row; the rows of the pattern, 128 bytes of address each, begin at a multiple of all of them.
    const u32 pattern_bytes = swizzle_bytes * 8;
    if (swizzle_bytes != 0 && start % pattern_bytes >= 128)
        block.stop(FaultKind::bad_descriptor, start,
                   text("%s begins at %s, but a pattern of %u-byte swizzle begins at a multiple of %u: is the tile misaligned, or was the address advanced in "
                        "bytes, not in units of 16?", operand, place_of_shared(start).c_str(), swizzle_bytes, pattern_bytes), nullptr, site);
}

u32 MatrixDescriptor::run_address(u32 outer, u32 run) const {
    const u32 row_bytes = swizzle_bytes == 0 ? 16 : swizzle_bytes, runs = row_bytes / 16;
    u32 address;
    if (!mn_major) {
        // outer is a row of m or n, eight of them at a stride; without swizzle the runs of k are a leading offset apart.
        address = start + outer / 8 * stride_bytes + outer % 8 * row_bytes + (swizzle_bytes == 0 ? run * leading_bytes : run * 16);
    } else if (swizzle_bytes == 0) {
        address = start + run * stride_bytes + outer / 8 * leading_bytes + outer % 8 * 16;
    } else {
        // outer is k, eight of them at a stride; a row holds some runs of m or n, the next ones are a leading offset away.
        address = start + run / runs * leading_bytes + run % runs * 16 + outer / 8 * stride_bytes + outer % 8 * row_bytes;
    }
    return swizzled(address, swizzle_bytes);
}

}
