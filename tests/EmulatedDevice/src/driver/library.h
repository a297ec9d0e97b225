// Loaded libraries and their kernels.
#pragma once
#include <memory>
#include "driver/cuda_types.h"
#include "execution/module.h"

namespace emulation {

struct Kernel {
    const emulated_kernel* code = nullptr;
    const Module* module = nullptr;
    int max_dynamic_shared = 0;
    int preferred_carveout = -1;
};

// Null: no kernel of a loaded library has this handle. CUkernel and CUfunction are the same here, as the driver allows.
Kernel* find_kernel(CUfunction handle);

}
