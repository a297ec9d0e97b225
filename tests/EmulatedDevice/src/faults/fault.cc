#include "faults/fault.h"
#include <cstdarg>
#include <cstdio>

namespace emulation {

const char* name_of(FaultKind kind) {
    switch (kind) {
    case FaultKind::out_of_bounds: return "out_of_bounds";
    case FaultKind::use_after_free: return "use_after_free";
    case FaultKind::illegal_address: return "illegal_address";
    case FaultKind::misaligned_address: return "misaligned_address";
    case FaultKind::uninitialised_read: return "uninitialised_read";
    case FaultKind::shared_memory_race: return "shared_memory_race";
    case FaultKind::global_memory_race: return "global_memory_race";
    case FaultKind::stream_race: return "stream_race";
    case FaultKind::async_copy_not_waited: return "async_copy_not_waited";
    case FaultKind::divergent_barrier: return "divergent_barrier";
    case FaultKind::divergent_warp: return "divergent_warp";
    case FaultKind::bad_lane: return "bad_lane";
    case FaultKind::bad_barrier: return "bad_barrier";
    case FaultKind::bad_mbarrier: return "bad_mbarrier";
    case FaultKind::bad_descriptor: return "bad_descriptor";
    case FaultKind::bad_tensor_map: return "bad_tensor_map";
    case FaultKind::bad_wgmma: return "bad_wgmma";
    case FaultKind::bad_register_count: return "bad_register_count";
    case FaultKind::async_proxy: return "async_proxy";
    case FaultKind::deadlock: return "deadlock";
    case FaultKind::read_only_path: return "read_only_path";
    case FaultKind::trap: return "trap";
    case FaultKind::stack_overflow: return "stack_overflow";
    case FaultKind::index_out_of_bounds: return "index_out_of_bounds";
    case FaultKind::launch_limits: return "launch_limits";
    case FaultKind::launch_timeout: return "launch_timeout";
    case FaultKind::host_access_before_synchronise: return "host_access_before_synchronise";
    case FaultKind::double_free: return "double_free";
    case FaultKind::bad_argument: return "bad_argument";
    case FaultKind::unsupported: return "unsupported";
    }
    return "unknown";
}

CUresult result_of(FaultKind kind) {
    switch (kind) {
    case FaultKind::out_of_bounds:
    case FaultKind::use_after_free:
    case FaultKind::illegal_address: return CUDA_ERROR_ILLEGAL_ADDRESS;
    case FaultKind::misaligned_address: return CUDA_ERROR_MISALIGNED_ADDRESS;
    case FaultKind::trap: return CUDA_ERROR_ASSERT;
    case FaultKind::stack_overflow: return CUDA_ERROR_HARDWARE_STACK_ERROR;
    case FaultKind::deadlock:
    case FaultKind::launch_timeout: return CUDA_ERROR_LAUNCH_TIMEOUT;
    default: return CUDA_ERROR_LAUNCH_FAILED;
    }
}

std::string formatted(const char* format, std::va_list arguments) {
    std::va_list again;
    va_copy(again, arguments);
    const int length = std::vsnprintf(nullptr, 0, format, arguments);
    std::string result((size_t)length, '\0');
    std::vsnprintf(result.data(), (size_t)length + 1, format, again);
    va_end(again);
    return result;
}

std::string text(const char* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    std::string result = formatted(format, arguments);
    va_end(arguments);
    return result;
}

void FaultLog::add(Fault fault) {
    if (fault.in_kernel)
        fault.message = text("%s: kernel %s, block (%u,%u,%u), thread (%u,%u,%u): ", name_of(fault.kind), fault.kernel.c_str(), fault.block.x,
                             fault.block.y, fault.block.z, fault.thread.x, fault.thread.y, fault.thread.z) + fault.message;
    else
        fault.message = std::string(name_of(fault.kind)) + ": " + fault.message;
    if (printing)
        std::fprintf(stderr, "emulated device: %s\n", fault.message.c_str());
    faults.push_back(std::move(fault));
}

FaultLog& fault_log() {
    static FaultLog log;
    return log;
}

CUresult host_fault(FaultKind kind, CUresult result, u64 address, const char* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    Fault fault{kind};
    fault.address = address;
    fault.message = formatted(format, arguments);
    va_end(arguments);
    fault_log().add(std::move(fault));
    return result;
}

}
