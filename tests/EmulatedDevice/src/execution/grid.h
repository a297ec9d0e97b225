// All blocks of a launch, one after the other.
#pragma once
#include <optional>
#include <unordered_map>
#include "execution/block.h"

namespace emulation {

// Also marks the beginning and the end of the launch for the watcher. known: see Order::begin_work.
std::optional<Fault> run_grid(const Launch& launch, u64 stream, u64 sequence, const std::unordered_map<u64, u64>& known);

}
