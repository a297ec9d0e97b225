#include "driver/context.h"
#include <cstring>
#include <vector>
#include "configuration.h"
#include "driver/host_guard.h"
#include "driver/runtime.h"
#include "watch/address_space.h"

using namespace emulation;

static int retained = 0;
static char context_object;
static thread_local std::vector<CUcontext> current(1, nullptr);

CUcontext emulation::primary_context() {
    return (CUcontext)&context_object;
}

bool emulation::context_is_current() {
    return current.back() == primary_context() && retained > 0;
}

ApiCall::ApiCall(bool needs_context) : guard(Runtime::instance().lock) {
    Runtime& runtime = Runtime::instance();
    runtime.touch_clock();
    if (!runtime.initialised)
        result = CUDA_ERROR_NOT_INITIALIZED;
    else if (needs_context && !context_is_current())
        result = CUDA_ERROR_INVALID_CONTEXT;
    else if (needs_context && runtime.sticky != CUDA_SUCCESS)
        result = runtime.sticky;
}

extern "C" {

CUresult cuInit(unsigned flags) {
    if (flags != 0)
        return CUDA_ERROR_INVALID_VALUE;
    Runtime& runtime = Runtime::instance();
    const std::lock_guard guard(runtime.lock);
    AddressSpace::instance();
    Block::instance();
    install_signal_handler();
    runtime.initialised = true;
    return CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int* version) {
    if (version == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    *version = 12040;
    return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
    BEGIN_CALL(false);
    if (context == nullptr || device != 0)
        return device != 0 ? CUDA_ERROR_INVALID_DEVICE : CUDA_ERROR_INVALID_VALUE;
    retained++;
    *context = primary_context();
    return CUDA_SUCCESS;
}

// The last release ends the context, and with it the error that stuck.
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    BEGIN_CALL(false);
    if (device != 0)
        return CUDA_ERROR_INVALID_DEVICE;
    if (retained == 0)
        return CUDA_ERROR_INVALID_CONTEXT;
    if (--retained == 0) {
        Runtime::instance().synchronise_all();
        Runtime::instance().sticky = CUDA_SUCCESS;
    }
    return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned) {
    return device == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

CUresult cuCtxSetCurrent(CUcontext context) {
    BEGIN_CALL(false);
    if (context != nullptr && (context != primary_context() || retained == 0))
        return CUDA_ERROR_INVALID_CONTEXT;
    current.back() = context;
    return CUDA_SUCCESS;
}

CUresult cuCtxGetCurrent(CUcontext* context) {
    BEGIN_CALL(false);
    if (context == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    *context = current.back();
    return CUDA_SUCCESS;
}

CUresult cuCtxPushCurrent_v2(CUcontext context) {
    BEGIN_CALL(false);
    if (context != primary_context() || retained == 0)
        return CUDA_ERROR_INVALID_CONTEXT;
    current.push_back(context);
    return CUDA_SUCCESS;
}

CUresult cuCtxPopCurrent_v2(CUcontext* context) {
    BEGIN_CALL(false);
    if (current.size() < 2)
        return CUDA_ERROR_INVALID_CONTEXT;
    if (context != nullptr)
        *context = current.back();
    current.pop_back();
    return CUDA_SUCCESS;
}

CUresult cuCtxSynchronize() {
    BEGIN_CALL();
    if (const CUresult refused = Runtime::instance().refuse_in_capture("cuCtxSynchronize"))
        return refused;
    return Runtime::instance().synchronise_all();
}

CUresult cuCtxSetLimit(int limit, size_t) {
    BEGIN_CALL();
    return limit >= 0 && limit < 10 ? CUDA_SUCCESS : CUDA_ERROR_UNSUPPORTED_LIMIT;
}

CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    BEGIN_CALL();
    if (least != nullptr)
        *least = 0;
    if (greatest != nullptr)
        *greatest = -5;
    return CUDA_SUCCESS;
}

}
