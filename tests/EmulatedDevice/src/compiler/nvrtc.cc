// NVRTC's functions.
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include "compiler/host_compiler.h"
#include "configuration.h"

using namespace emulation;

namespace {

enum nvrtcResult : int {
    NVRTC_SUCCESS = 0,
    NVRTC_ERROR_OUT_OF_MEMORY = 1,
    NVRTC_ERROR_PROGRAM_CREATION_FAILURE = 2,
    NVRTC_ERROR_INVALID_INPUT = 3,
    NVRTC_ERROR_INVALID_PROGRAM = 4,
    NVRTC_ERROR_INVALID_OPTION = 5,
    NVRTC_ERROR_COMPILATION = 6,
    NVRTC_ERROR_BUILTIN_OPERATION_FAILURE = 7,
    NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION = 8,
    NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION = 9,
    NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID = 10,
    NVRTC_ERROR_INTERNAL_ERROR = 11,
    NVRTC_ERROR_TIME_FILE_WRITE_FAILED = 12,
};

struct Program {
    KernelSource source;
    std::string log;
    std::vector<u8> image;
    bool portable = false;
    std::set<std::string> names;
};

using nvrtcProgram = Program*;

// Programs are compiled by several threads; only the list of the living ones is shared.
std::mutex programs_lock;
std::set<const Program*> programs;

bool living(const Program* program) {
    const std::lock_guard lock(programs_lock);
    return programs.count(program) != 0;
}

constexpr int kArchitectures[] = {75, 80, 86, 89, 90};

nvrtcResult size_of(nvrtcProgram program, bool portable, size_t* size) {
    if (!living(program))
        return NVRTC_ERROR_INVALID_PROGRAM;
    if (size == nullptr)
        return NVRTC_ERROR_INVALID_INPUT;
    *size = program->portable == portable ? program->image.size() : 0;
    return NVRTC_SUCCESS;
}

nvrtcResult copy_image(nvrtcProgram program, bool portable, char* to) {
    if (!living(program))
        return NVRTC_ERROR_INVALID_PROGRAM;
    if (to == nullptr || program->portable != portable || program->image.empty())
        return NVRTC_ERROR_INVALID_INPUT;
    std::memcpy(to, program->image.data(), program->image.size());
    return NVRTC_SUCCESS;
}

}

extern "C" {

const char* nvrtcGetErrorString(nvrtcResult result) {
    static const char* const names[] = {
        "NVRTC_SUCCESS", "NVRTC_ERROR_OUT_OF_MEMORY", "NVRTC_ERROR_PROGRAM_CREATION_FAILURE", "NVRTC_ERROR_INVALID_INPUT", "NVRTC_ERROR_INVALID_PROGRAM",
        "NVRTC_ERROR_INVALID_OPTION", "NVRTC_ERROR_COMPILATION", "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE",
        "NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION", "NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION", "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID",
        "NVRTC_ERROR_INTERNAL_ERROR", "NVRTC_ERROR_TIME_FILE_WRITE_FAILED"};
    return (unsigned)result < sizeof names / sizeof names[0] ? names[result] : "NVRTC_ERROR unknown";
}

// The minor version is the build's: a cache of compiled kernels must not outlive the host versions of ptx/.
nvrtcResult nvrtcVersion(int* major, int* minor) {
    if (major == nullptr || minor == nullptr)
        return NVRTC_ERROR_INVALID_INPUT;
    *major = 12;
    *minor = 100 + (int)(build_identity() % 1'000'000);
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetNumSupportedArchs(int* count) {
    if (count == nullptr)
        return NVRTC_ERROR_INVALID_INPUT;
    *count = (int)(sizeof kArchitectures / sizeof kArchitectures[0]);
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetSupportedArchs(int* architectures) {
    if (architectures == nullptr)
        return NVRTC_ERROR_INVALID_INPUT;
    std::memcpy(architectures, kArchitectures, sizeof kArchitectures);
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcCreateProgram(nvrtcProgram* program, const char* source, const char* name, int header_count, const char* const* headers,
                               const char* const* include_names) {
    if (program == nullptr || source == nullptr || header_count < 0 || (header_count > 0 && (headers == nullptr || include_names == nullptr)))
        return NVRTC_ERROR_INVALID_INPUT;
    auto made = std::make_unique<Program>();
    made->source.name = name == nullptr || *name == '\0' ? "default_program" : name;
    made->source.text = source;
    for (int i = 0; i < header_count; i++)
        made->source.headers.emplace_back(include_names[i], headers[i]);
    const std::lock_guard lock(programs_lock);
    programs.insert(made.get());
    *program = made.release();
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcDestroyProgram(nvrtcProgram* program) {
    if (program == nullptr)
        return NVRTC_ERROR_INVALID_INPUT;
    const std::lock_guard lock(programs_lock);
    if (programs.erase(*program) == 0)
        return NVRTC_ERROR_INVALID_PROGRAM;
    delete *program;
    *program = nullptr;
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcCompileProgram(nvrtcProgram program, int count, const char* const* words) {
    if (!living(program))
        return NVRTC_ERROR_INVALID_PROGRAM;
    CompilerOptions options;
    std::string refused;
    program->log.clear();
    program->image.clear();
    if (!CompilerOptions::parse(count, words, options, refused)) {
        program->log = "nvrtc: error: invalid option '" + refused + "'\n";
        return NVRTC_ERROR_INVALID_OPTION;
    }
    bool known = false;
    for (const int architecture : kArchitectures)
        known |= options.architecture == (u32)architecture;
    if (!known) {
        program->log = "nvrtc: error: invalid value for --gpu-architecture (-arch)\n";
        return NVRTC_ERROR_INVALID_OPTION;
    }
    Image image;
    if (!compile(program->source, options, Configuration::instance().watch, image, program->log))
        return NVRTC_ERROR_COMPILATION;
    program->image = image.bytes();
    program->portable = image.portable;
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetPTXSize(nvrtcProgram program, size_t* size) { return size_of(program, true, size); }
nvrtcResult nvrtcGetPTX(nvrtcProgram program, char* to) { return copy_image(program, true, to); }
nvrtcResult nvrtcGetCUBINSize(nvrtcProgram program, size_t* size) { return size_of(program, false, size); }
nvrtcResult nvrtcGetCUBIN(nvrtcProgram program, char* to) { return copy_image(program, false, to); }

nvrtcResult nvrtcGetProgramLogSize(nvrtcProgram program, size_t* size) {
    if (!living(program))
        return NVRTC_ERROR_INVALID_PROGRAM;
    if (size == nullptr)
        return NVRTC_ERROR_INVALID_INPUT;
    *size = program->log.size() + 1;
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetProgramLog(nvrtcProgram program, char* to) {
    if (!living(program))
        return NVRTC_ERROR_INVALID_PROGRAM;
    if (to == nullptr)
        return NVRTC_ERROR_INVALID_INPUT;
    std::memcpy(to, program->log.c_str(), program->log.size() + 1);
    return NVRTC_SUCCESS;
}

// Entries are extern "C": their lowered name is their name.
nvrtcResult nvrtcAddNameExpression(nvrtcProgram program, const char* name) {
    if (!living(program))
        return NVRTC_ERROR_INVALID_PROGRAM;
    program->names.insert(name);
    return NVRTC_SUCCESS;
}

nvrtcResult nvrtcGetLoweredName(nvrtcProgram program, const char* name, const char** lowered) {
    if (!living(program))
        return NVRTC_ERROR_INVALID_PROGRAM;
    const auto found = program->names.find(name);
    if (found == program->names.end())
        return NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID;
    *lowered = found->c_str();
    return NVRTC_SUCCESS;
}

#define NO_SUCH_FORM(NAME)                                                                              \
    nvrtcResult nvrtcGet##NAME##Size(nvrtcProgram, size_t* size) { *size = 0; return NVRTC_SUCCESS; }   \
    nvrtcResult nvrtcGet##NAME(nvrtcProgram, char*) { return NVRTC_ERROR_INVALID_INPUT; }
NO_SUCH_FORM(NVVM)
NO_SUCH_FORM(LTOIR)
NO_SUCH_FORM(OptiXIR)
#undef NO_SUCH_FORM

}
