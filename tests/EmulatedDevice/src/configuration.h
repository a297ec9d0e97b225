// What the environment (XC2_EMULATED_...) or a test chose.
#pragma once
#include <string>
#include "numbers.h"

namespace emulation {

enum class Schedule { forward, reverse, shuffled };
enum class Sums { nearest, truncated };

struct Configuration {
    u32 architecture = 80;              // XC2_EMULATED_ARCH: 75, 80, 86, 89 or 90
    u32 processors = 0;                 // XC2_EMULATED_MULTIPROCESSORS, as slices of a card have few; 0: as many as a card of the generation has
    Schedule schedule = Schedule::forward;      // XC2_EMULATED_SCHEDULE: forward, reverse, shuffled
    u64 seed = 1;                       // XC2_EMULATED_SEED, of the shuffled schedule
    Sums sums = Sums::nearest;          // XC2_EMULATED_SUMS, of tensor cores: nearest, truncated
    bool watch = true;                  // XC2_EMULATED_WATCH: 0 or 1
    u64 memory_bytes = 16ull << 30;     // XC2_EMULATED_MEMORY_MB
    u32 idle_milliseconds = 0;          // XC2_EMULATED_IDLE_MS: waiting work begins by itself after so long without a call (a host that polls memory); 0: never

    static Configuration& instance();

    // name: arch, multiprocessors, schedule, seed, sums, watch, memory_mb, idle_ms. False: no such name or value.
    bool set(const std::string& name, const std::string& value);
};

}
