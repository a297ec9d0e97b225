// The log buffer that a library is loaded with. A driver that loads code lazily writes to it later, so it must live as long as the library.
#pragma once
#include <string>
#include "driver/cuda_types.h"

namespace emulation {

class JitLog {
public:
    JitLog() = default;
    JitLog(const CUjit_option* options, void* const* values, unsigned count);

    void write(const std::string& log) const;

    // Leaves a mark behind the empty text, which check() expects to find again.
    void mark() const;

    // The driver's answer where the buffer is somebody else's memory by now.
    CUresult check(const char* call) const;

private:
    char* buffer = nullptr;
    size_t bytes = 0;
};

}
