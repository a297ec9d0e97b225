#include "compiler/options.h"
#include <cstdlib>
#include <cstring>

namespace emulation {

// Understood and without effect on g++. A trailing = or : takes the rest of the word as its value.
static const char* const kWithoutEffect[] = {
    "-lineinfo", "--generate-line-info", "-G", "--device-debug", "--dopt=", "-dopt", "--ptxas-options=", "--ptxas-options", "-Xptxas", "--maxrregcount=",
    "-maxrregcount=", "--ftz=", "-ftz=", "--prec-sqrt=", "-prec-sqrt=", "--prec-div=", "-prec-div=", "--fmad=", "-fmad=",
    "--extra-device-vectorization", "-extra-device-vectorization", "--restrict", "-restrict", "--device-as-default-execution-space", "-default-device",
    "--disable-warnings", "-w", "--diag-suppress=", "-diag-suppress=", "--diag-error=", "-diag-error=", "--diag-warn=", "-diag-warn=",
    "--display-error-number", "-err-no", "--no-display-error-number", "-no-err-no", "--relocatable-device-code=", "-rdc=", "--device-c", "-dc",
    "--device-w", "-dw", "--minimal", "-minimal", "--split-compile=", "--fdevice-syntax-only", "--builtin-move-forward=", "--builtin-initializer-list=",
    "--no-source-include", "-no-source-include", "--version-ident=", "--brief-diagnostics=", "--time=", "-time=", "--Ofast-compile=", "-Ofc=",
};

static bool value_of(const std::string& option, const char* name, std::string& value) {
    const size_t length = std::strlen(name);
    if (option.compare(0, length, name) != 0)
        return false;
    value = option.substr(length);
    return true;
}

static bool read_architecture(const std::string& value, CompilerOptions& result) {
    const bool real = value.compare(0, 3, "sm_") == 0;
    if (!real && value.compare(0, 8, "compute_") != 0)
        return false;
    char* end = nullptr;
    result.architecture = (u32)std::strtoul(value.c_str() + (real ? 3 : 8), &end, 10);
    result.accelerated = std::strcmp(end, "a") == 0;
    result.portable = !real;
    return *end == '\0' || (result.accelerated && result.architecture >= 90);
}

static bool has_no_effect(const std::string& option) {
    for (const char* known : kWithoutEffect) {
        const size_t length = std::strlen(known);
        if (option == known || (known[length - 1] == '=' && option.compare(0, length, known) == 0))
            return true;
    }
    return false;
}

bool CompilerOptions::parse(int count, const char* const* options, CompilerOptions& result, std::string& refused) {
    for (int i = 0; i < count; i++) {
        std::string option = options[i], value;
        // "-D NAME" and the like come as two words.
        const bool alone = option == "-D" || option == "-I" || option == "--gpu-architecture" || option == "-arch" || option == "--define-macro";
        if (alone && i + 1 < count)
            option += (option.size() > 2 ? "=" : "") + std::string(options[++i]);
        refused = option;
        if (value_of(option, "--gpu-architecture=", value) || value_of(option, "-arch=", value)) {
            if (!read_architecture(value, result))
                return false;
        } else if (value_of(option, "--define-macro=", value) || value_of(option, "-D", value)) {
            result.definitions.push_back(value);
        } else if (value_of(option, "--include-path=", value) || value_of(option, "-I", value)) {
            result.include_folders.push_back(value);
        } else if (value_of(option, "--std=", value) || value_of(option, "-std=", value)) {
            // The prelude needs C++17, which is NVRTC's default too.
            if (value != "c++11" && value != "c++14" && value != "c++17")
                return false;
        } else if (option == "--use_fast_math" || option == "-use_fast_math") {
            result.fast_math = true;
        } else if (!has_no_effect(option)) {
            return false;
        }
    }
    return true;
}

}
