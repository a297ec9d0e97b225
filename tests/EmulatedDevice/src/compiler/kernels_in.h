// The __global__ functions that a source defines, found in its text.
#pragma once
#include <string>
#include <vector>

namespace emulation {

struct KernelText {
    std::string name;
    std::string launch_bounds;      // the text between its parentheses, or empty
};

std::vector<KernelText> kernels_in(const std::string& source);

}
