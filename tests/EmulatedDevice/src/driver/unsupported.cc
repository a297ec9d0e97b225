// What the header has and this device does not: each says so.
#include <cstring>
#include <dlfcn.h>
#include "driver/runtime.h"

using namespace emulation;

static CUresult refuse(const char* name) {
    return host_fault(FaultKind::unsupported, CUDA_ERROR_NOT_SUPPORTED, 0, "%s is not emulated", name);
}

extern "C" {

#define UNSUPPORTED(NAME)   \
    CUresult NAME() {       \
        BEGIN_CALL(false);  \
        return refuse(#NAME); \
    }
UNSUPPORTED(cuMemHostRegister_v2)
UNSUPPORTED(cuMemHostUnregister)
UNSUPPORTED(cuStreamWriteValue32_v2)
UNSUPPORTED(cuStreamWaitValue32_v2)
UNSUPPORTED(cuLibraryGetGlobal)
UNSUPPORTED(cuModuleGetGlobal_v2)
UNSUPPORTED(cuLaunchCooperativeKernel)
UNSUPPORTED(cuOccupancyMaxActiveClusters)
UNSUPPORTED(cuGraphKernelNodeSetParams_v2)
UNSUPPORTED(cuGraphDebugDotPrint)
UNSUPPORTED(cuTensorMapReplaceAddress)
UNSUPPORTED(cuMemPrefetchAsync)
UNSUPPORTED(cuPointerGetAttribute)
#undef UNSUPPORTED

// The newest of the suffixed names, as the driver gives it to a caller of CUDA 12.
CUresult cuGetProcAddress_v2(const char* symbol, void** function, int, uint64_t, int* status) {
    if (symbol == nullptr || function == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    *function = nullptr;
    for (const char* suffix : {"_v3", "_v2", ""})
        if (*function == nullptr)
            *function = dlsym(RTLD_DEFAULT, (std::string(symbol) + suffix).c_str());
    Dl_info here{}, there{};
    dladdr((void*)&cuGetProcAddress_v2, &here);
    // A real driver may be loaded beside this library.
    if (*function != nullptr && (dladdr(*function, &there) == 0 || std::strcmp(here.dli_fname, there.dli_fname) != 0))
        *function = nullptr;
    if (status != nullptr)
        *status = *function != nullptr ? 0 : 1;
    return *function != nullptr ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

}
