#include "configuration.h"
#include <cstdio>
#include <cstdlib>

namespace emulation {

static void from_environment(Configuration& configuration) {
    static const struct {
        const char* variable;
        const char* name;
    } variables[] = {
        {"XC2_EMULATED_ARCH", "arch"}, {"XC2_EMULATED_MULTIPROCESSORS", "multiprocessors"}, {"XC2_EMULATED_SCHEDULE", "schedule"}, {"XC2_EMULATED_SEED", "seed"},
        {"XC2_EMULATED_SUMS", "sums"}, {"XC2_EMULATED_WATCH", "watch"}, {"XC2_EMULATED_MEMORY_MB", "memory_mb"}, {"XC2_EMULATED_IDLE_MS", "idle_ms"},
    };
    for (const auto& entry : variables)
        if (const char* value = std::getenv(entry.variable))
            if (!configuration.set(entry.name, value)) {
                // The default in its place would prove something else than what was asked for.
                std::fprintf(stderr, "emulated device: %s=%s is not understood\n", entry.variable, value);
                std::_Exit(2);
            }
}

Configuration& Configuration::instance() {
    static Configuration* configuration = [] {
        auto* made = new Configuration();
        from_environment(*made);
        return made;
    }();
    return *configuration;
}

static bool number(const std::string& value, u64& result) {
    char* end = nullptr;
    result = std::strtoull(value.c_str(), &end, 10);
    return !value.empty() && *end == '\0';
}

bool Configuration::set(const std::string& name, const std::string& given) {
    u64 parsed = 0;
    const std::string value = name == "arch" && given.rfind("sm_", 0) == 0 ? given.substr(3) : given;
    if (name == "schedule") {
        if (value != "forward" && value != "reverse" && value != "shuffled")
            return false;
        schedule = value == "forward" ? Schedule::forward : value == "reverse" ? Schedule::reverse : Schedule::shuffled;
        return true;
    }
    if (name == "sums") {
        if (value != "nearest" && value != "truncated")
            return false;
        sums = value == "nearest" ? Sums::nearest : Sums::truncated;
        return true;
    }
    if (!number(value, parsed))
        return false;
    if (name == "arch" && (parsed == 75 || parsed == 80 || parsed == 86 || parsed == 89 || parsed == 90))
        architecture = (u32)parsed;
    else if (name == "multiprocessors" && parsed > 0 && parsed <= 1024)
        processors = (u32)parsed;
    else if (name == "seed")
        seed = parsed;
    else if (name == "watch" && parsed <= 1)
        watch = parsed != 0;
    else if (name == "memory_mb" && parsed > 0)
        memory_bytes = parsed << 20;
    else if (name == "idle_ms")
        idle_milliseconds = (u32)parsed;
    else
        return false;
    return true;
}

}
