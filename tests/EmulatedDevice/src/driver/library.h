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
    bool ready = false;             // its code is loaded: cuKernelGetFunction, or a launch outside of a capture
};

// Null: no kernel of a loaded library has this handle. CUkernel and CUfunction are the same here, as the driver allows.
Kernel* find_kernel(CUfunction handle);

// Loads the kernel's code, as a lazy driver does it: not in a capture, and with a look at the log buffer that the library was given.
CUresult make_ready(Kernel& kernel, const char* call);

}
