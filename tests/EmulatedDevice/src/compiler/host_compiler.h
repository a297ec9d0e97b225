// g++ as the kernel compiler.
#pragma once
#include <string>
#include <utility>
#include <vector>
#include "compiler/image.h"
#include "compiler/options.h"

namespace emulation {

struct KernelSource {
    std::string name;
    std::string text;
    std::vector<std::pair<std::string, std::string>> headers;   // as #include writes them, and their text
};

// False: the source was refused; `log` says why. Lines of the log name files as the source does.
bool compile(const KernelSource& source, const CompilerOptions& options, bool watched, Image& image, std::string& log);

// Another object from an image's own source, for the other state of the watch.
bool rebuild(Image& image, bool watched, std::string& log);

}
