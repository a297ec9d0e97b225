// What the device says of itself: the limits of its architecture.
#pragma once
#include "numbers.h"

namespace emulation {

struct DeviceLimits {
    u32 processors;
    u32 threads_per_processor;
    u32 blocks_per_processor;
    u32 shared_per_processor;
    u32 shared_per_block;           // with the attribute raised
    u32 reserved_shared;            // of every block
    u32 l2_bytes;
    u32 clock_khz;
    u32 memory_clock_khz;
    u32 bus_bits;
    const char* name;
};

constexpr u32 kSharedWithoutAsking = 48 * 1024;
constexpr u32 kRegistersPerProcessor = 65536;

const DeviceLimits& device_limits();

}
