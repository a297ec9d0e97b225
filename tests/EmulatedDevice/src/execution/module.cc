#include "execution/module.h"
#include <algorithm>
#include <cstring>
#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>
#include "faults/fault.h"

namespace emulation {

static std::vector<const Module*> loaded;

std::unique_ptr<Module> Module::load(const std::vector<u8>& object, std::string& error) {
    std::unique_ptr<Module> module(new Module());
    module->descriptor = memfd_create("kernel", MFD_CLOEXEC);
    if (module->descriptor < 0 || write(module->descriptor, object.data(), object.size()) != (ssize_t)object.size()) {
        error = "no memory for the kernel object";
        return nullptr;
    }
    module->handle = dlopen(text("/proc/self/fd/%d", module->descriptor).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module->handle == nullptr) {
        error = dlerror();
        return nullptr;
    }
    module->kernel_table = (const emulated_kernel_table*)dlsym(module->handle, "emulated_kernels");
    if (module->kernel_table == nullptr) {
        error = "the object has no table of kernels";
        return nullptr;
    }
    module->find_extent();
    module->find_shared_variables(object);
    loaded.push_back(module.get());
    return module;
}

Module::~Module() {
    loaded.erase(std::remove(loaded.begin(), loaded.end(), this), loaded.end());
    if (handle != nullptr)
        dlclose(handle);
    if (descriptor >= 0)
        close(descriptor);
}

const Module* Module::containing(const void* address) {
    for (const Module* module : loaded)
        if (address >= module->first && address < module->last)
            return module;
    return nullptr;
}

void Module::find_extent() {
    link_map* map = nullptr;
    dlinfo(handle, RTLD_DI_LINKMAP, &map);
    first = (const char*)map->l_addr;
    const auto* header = (const ElfW(Ehdr)*)first;
    const auto* segments = (const ElfW(Phdr)*)(first + header->e_phoff);
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD)
            last = std::max(last, first + segments[i].p_vaddr + segments[i].p_memsz);
}

// A variable of a function ("_ZZ...") in writable memory is __shared__: device code has no other static variables.
static bool is_shared(const ElfW(Sym)& symbol, const char* name, const ElfW(Shdr)* sections, int section_count) {
    return ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT && std::strncmp(name, "_ZZ", 3) == 0 && symbol.st_shndx < section_count
        && (sections[symbol.st_shndx].sh_flags & SHF_WRITE) != 0 && symbol.st_size > 0;
}

static std::string short_name(const char* mangled) {
    int status = 0;
    char* demangled = abi::__cxa_demangle(mangled, nullptr, nullptr, &status);
    std::string name = status == 0 ? demangled : mangled;
    std::free(demangled);
    const size_t scope = name.rfind("::");
    return scope == std::string::npos ? name : name.substr(scope + 2);
}

void Module::find_shared_variables(const std::vector<u8>& object) {
    const auto* header = (const ElfW(Ehdr)*)object.data();
    const auto* sections = (const ElfW(Shdr)*)(object.data() + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        const auto* symbols = (const ElfW(Sym)*)(object.data() + sections[i].sh_offset);
        const char* names = (const char*)object.data() + sections[sections[i].sh_link].sh_offset;
        for (u64 s = 0; s < sections[i].sh_size / sizeof(ElfW(Sym)); s++)
            if (is_shared(symbols[s], names + symbols[s].st_name, sections, header->e_shnum))
                variables.push_back({symbols[s].st_value, symbols[s].st_size, short_name(names + symbols[s].st_name)});
    }
    if (variables.empty())
        return;
    std::sort(variables.begin(), variables.end(), [](const SharedVariable& a, const SharedVariable& b) { return a.offset < b.offset; });
    const u64 begin = variables.front().offset / 16 * 16, bytes = variables.back().offset + variables.back().bytes - begin;
    statics.base = (u64)first + begin;
    statics.bytes = bytes;
    cells.resize(bytes / 4 + 8);
    written.resize(bytes / 8 + 8);
    valid.resize(bytes / 8 + 8);
    statics.cells = cells.data();
    statics.written = written.data();
    for (SharedVariable& variable : variables) {
        variable.offset -= begin;
        for (u64 byte = variable.offset; byte < variable.offset + variable.bytes; byte++)
            valid[byte / 8] |= (u8)(1u << byte % 8);
    }
}

}
