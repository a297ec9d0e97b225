#include "faults/place.h"
#include <cstdio>
#include <cstring>
#include <unistd.h>
#include "execution/module.h"
#include "faults/fault.h"

namespace emulation {

static std::string chosen_line(std::FILE* lines) {
    std::string chosen;
    char line[1024];
    while (std::fgets(line, sizeof line, lines) != nullptr) {
        line[std::strcspn(line, "\n")] = '\0';
        if (char* note = std::strstr(line, " (discriminator"))
            *note = '\0';
        if (line[0] == '?')
            continue;
        const char* name = line;
        while (std::strncmp(name, "./", 2) == 0)
            name += 2;
        chosen = name;
        if (std::strstr(line, "ptx/") == nullptr && std::strstr(line, "emulated/") == nullptr)
            break;
    }
    return chosen;
}

std::string place_of(const void* return_address) {
    const Module* module = Module::containing(return_address);
    if (module == nullptr)
        return "";
    // The call is before the address it returns to.
    const auto offset = (unsigned long long)((const char*)return_address - module->base()) - 1;
    const std::string command = text("addr2line -i -e /proc/%d/fd/%d 0x%llx 2>/dev/null", (int)getpid(), module->file(), offset);
    std::FILE* lines = popen(command.c_str(), "r");
    if (lines == nullptr)
        return "";
    const std::string chosen = chosen_line(lines);
    pclose(lines);
    return chosen.empty() ? "" : " at " + chosen;
}

std::string place_of_site(emulated_site site) {
    if (site == nullptr)
        return "";
    const auto* place = (const emulated_place*)site;
    return text(" at %s:%u", place->file, place->line);
}

bool same_site(emulated_site a, emulated_site b) {
    if (a == b)
        return true;
    if (a == nullptr || b == nullptr)
        return false;
    const auto* first = (const emulated_place*)a;
    const auto* second = (const emulated_place*)b;
    return first->line == second->line && first->column == second->column && std::strcmp(first->file, second->file) == 0;
}

}
