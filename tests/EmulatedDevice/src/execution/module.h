// A loaded kernel object: its kernels, its shared variables, where it lies.
#pragma once
#include <memory>
#include <string>
#include <vector>
#include "emulated/seam.h"
#include "watch/hot.h"

namespace emulation {

struct SharedVariable {
    u64 offset;     // from the first variable's 16-byte boundary
    u64 bytes;
    std::string name;
};

class Module {
public:
    // object: an ELF shared object. error: what was wrong with it, where the result is null.
    static std::unique_ptr<Module> load(const std::vector<u8>& object, std::string& error);
    static const Module* containing(const void* address);
    ~Module();

    const emulated_kernel_table& table() const { return *kernel_table; }
    const char* base() const { return first; }
    int file() const { return descriptor; }
    const std::vector<SharedVariable>& shared_variables() const { return variables; }
    u64 shared_bytes() const { return statics.bytes; }
    const Window& shared_window() const { return statics; }
    const u8* shared_valid() const { return valid.data(); }

private:
    Module() = default;
    void find_extent();
    void find_shared_variables(const std::vector<u8>& object);

    void* handle = nullptr;
    int descriptor = -1;
    const emulated_kernel_table* kernel_table = nullptr;
    const char* first = nullptr;
    const char* last = nullptr;
    std::vector<SharedVariable> variables;
    Window statics;
    std::vector<Cell> cells;
    std::vector<u8> written;
    std::vector<u8> valid;
};

}
