#include "execution/grid.h"
#include <numeric>
#include "configuration.h"
#include "watch/address_space.h"
#include "watch/order.h"

namespace emulation {

void forget_split_words();

// A fixed bijection of the block numbers: a walk with a step that has no factor in common with their count.
static u64 shuffled_step(u64 count, u64 seed) {
    u64 step = (seed * 0x9E3779B97F4A7C15ull >> 8) % count | 1;
    while (std::gcd(step, count) != 1)
        step += 2;
    return step;
}

std::optional<Fault> run_grid(const Launch& launch, u64 stream, u64 sequence, const std::unordered_map<u64, u64>& known) {
    const Configuration& configuration = Configuration::instance();
    const u64 count = launch.grid.count(), step = shuffled_step(count, configuration.seed + sequence);
    hot.watching = configuration.watch;
    if (hot.watching) {
        forget_split_words();
        Order::instance().begin_work(stream, sequence, "kernel " + launch.name, known, launch.overlaps_previous);
    } else {
        AddressSpace::instance().trust_all();
    }
    std::optional<Fault> fault;
    for (u64 turn = 0; turn < count && !fault; turn++) {
        const u64 index = configuration.schedule == Schedule::forward ? turn
            : configuration.schedule == Schedule::reverse ? count - 1 - turn : turn * step % count;
        fault = Block::instance().run(launch, index, configuration.seed + sequence * 7919 + index);
    }
    if (hot.watching)
        Order::instance().end_work();
    hot.watching = false;
    return fault;
}

}
