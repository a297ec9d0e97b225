// A launch as the host asks for it, checked and made into work.
#pragma once
#include "driver/library.h"
#include "driver/work.h"

namespace emulation {

struct LaunchRequest {
    CUfunction function;
    Dim3 grid, block;
    u32 dynamic_shared_bytes;
    void** parameters;
    void** extra;
    const CUlaunchAttribute* attributes;
    unsigned attribute_count;
};

// The result the driver would give; the reason of a refusal is in the fault log.
CUresult make_kernel_work(const LaunchRequest& request, std::shared_ptr<KernelWork>& work);

}
