#include "driver/jit_log.h"
#include <algorithm>
#include <cstring>
#include <sys/uio.h>
#include <unistd.h>
#include "driver/runtime.h"

namespace emulation {

// At the beginning, where a heap writes its own books into freed memory, and at the end.
static constexpr char kMark[] = "log of a library";
static constexpr size_t kMarkBytes = sizeof kMark;
static constexpr size_t kFirst = 1;

JitLog::JitLog(const CUjit_option* options, void* const* values, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
            buffer = (char*)values[i];
        if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES)
            bytes = (size_t)(u64)values[i] & 0xFFFFFFFF;
    }
}

void JitLog::write(const std::string& log) const {
    if (buffer == nullptr || bytes == 0)
        return;
    const size_t length = std::min(bytes - 1, log.size());
    std::memcpy(buffer, log.data(), length);
    buffer[length] = '\0';
}

void JitLog::mark() const {
    if (buffer == nullptr || bytes < kFirst + 2 * kMarkBytes)
        return;
    buffer[0] = '\0';
    std::memcpy(buffer + kFirst, kMark, kMarkBytes);
    std::memcpy(buffer + bytes - kMarkBytes, kMark, kMarkBytes);
}

// The kernel copies, so that memory that is no longer mapped is no crash.
static bool holds_mark(const char* place) {
    char found[kMarkBytes];
    const iovec to{found, kMarkBytes}, from{const_cast<char*>(place), kMarkBytes};
    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)kMarkBytes && std::memcmp(found, kMark, kMarkBytes) == 0;
}

CUresult JitLog::check(const char* call) const {
    if (buffer == nullptr || bytes < kFirst + 2 * kMarkBytes || (holds_mark(buffer + kFirst) && holds_mark(buffer + bytes - kMarkBytes)))
        return CUDA_SUCCESS;
    return host_fault(FaultKind::use_after_free, CUDA_ERROR_INVALID_VALUE, (u64)buffer,
                      "%s: the library's log buffer, to which a driver that loads lazily writes, no longer holds what the driver wrote", call);
}

}
