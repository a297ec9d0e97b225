// The arithmetic of one wgmma: 64 rows, 16 of k.
#pragma once
#include "hopper/wgmma.h"

namespace emulation {

// Shared addresses of the operand's 16-byte runs, in the order in which multiply_wgmma takes them.
void add_runs(const MatrixDescriptor& descriptor, u32 rows, std::vector<u32>& runs);

// sums [64, n] += A [64, 16] · B [16, n], or = where the operation does not accumulate.
void multiply_wgmma(const WgmmaOperands& operands, const u32 (*a_registers)[4], const std::vector<u32>& runs, float* sums);

}
