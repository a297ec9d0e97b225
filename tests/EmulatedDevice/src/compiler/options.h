// NVRTC's options, as far as g++ needs to know them. What NVRTC would not know is refused here too.
#pragma once
#include <string>
#include <vector>
#include "numbers.h"

namespace emulation {

struct CompilerOptions {
    u32 architecture = 52;      // NVRTC's default, which no kernel here serves
    bool accelerated = false;   // sm_90a
    bool portable = false;      // compute_..: PTX
    bool fast_math = false;
    std::vector<std::string> definitions;       // NAME=VALUE
    std::vector<std::string> include_folders;

    // False: an option that NVRTC does not have; it is in `refused`.
    static bool parse(int count, const char* const* options, CompilerOptions& result, std::string& refused);
};

}
