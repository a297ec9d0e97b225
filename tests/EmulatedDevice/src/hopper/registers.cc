#include "hopper/registers.h"
#include <algorithm>
#include "driver/device.h"
#include "execution/block.h"
#include "hopper/wgmma.h"

namespace emulation {

static constexpr u32 kLeast = 24, kMost = 256, kStep = 8, kMostOfThread = 255;

Registers& Registers::instance() {
    static Registers* registers = new Registers();
    return *registers;
}

// As the compiler gives them out where one block fills the multiprocessor.
void Registers::begin_block(u32 warps) {
    held.assign(warps, std::min(kMostOfThread, kRegistersPerProcessor / (warps * kWarpLanes)) / kStep * kStep);
    history.assign(warps, {});
    pool = 0;
}

[[noreturn]] static void stop(const std::string& message, emulated_site site) {
    Block::instance().stop(FaultKind::bad_register_count, 0, message, nullptr, site);
}

void Registers::check(const Warp& warp, const char* name, u32 count, emulated_site site) {
    if (Block::instance().launch().kernel->max_threads == 0)
        stop(text("setmaxnreg.%s in a kernel without __launch_bounds__, where the compiler ignores it", name), site);
    if (count < kLeast || count > kMost || count % kStep != 0)
        stop(text("setmaxnreg.%s to %u registers: multiples of %u from %u to %u are possible", name, count, kStep, kLeast, kMost), site);
    std::vector<u32>& mine = history[warp.index];
    mine.push_back(count);
    const u32 first = warp.index / kWarpgroupWarps * kWarpgroupWarps;
    for (u32 other = first; other < std::min<size_t>(first + kWarpgroupWarps, held.size()); other++)
        if (history[other].size() >= mine.size() && history[other][mine.size() - 1] != count)
            stop(text("setmaxnreg.%s to %u registers, but warp %u of the same warpgroup asks for %u", name, count, other, history[other][mine.size() - 1]), site);
}

void Registers::give(Warp& warp, u32 count, emulated_site site) {
    check(warp, "dec", count, site);
    if (count > held[warp.index])
        stop(text("setmaxnreg.dec to %u registers, which are more than the %u that the warp has", count, held[warp.index]), site);
    pool += held[warp.index] - count;
    held[warp.index] = count;
    Block::instance().wake(Sleep::registers, 0);
}

std::string Registers::describe(const Thread& thread) {
    return text("setmaxnreg.inc of warp %u, which has %u registers a thread: the pool has %u more for one warp", thread.warp->index,
                instance().held[thread.warp->index], instance().pool);
}

void Registers::take(Warp& warp, u32 count, emulated_site site) {
    check(warp, "inc", count, site);
    if (count < held[warp.index])
        stop(text("setmaxnreg.inc to %u registers, which are fewer than the %u that the warp has", count, held[warp.index]), site);
    while (pool < count - held[warp.index]) {
        Block::instance().sleep(Sleep::registers, 0, site, &describe);
        hot.current->state = ThreadState::at_warp;
    }
    pool -= count - held[warp.index];
    held[warp.index] = count;
}

static void compute_give(Warp& warp, u32) {
    Registers::instance().give(warp, hot.current->slot[0], hot.current->arrival.site);
}

static void compute_take(Warp& warp, u32) {
    Registers::instance().take(warp, hot.current->slot[0], hot.current->arrival.site);
}

static const Instruction kGive = {"setmaxnreg.dec", true, FaultKind::divergent_warp, &compute_give};
static const Instruction kTake = {"setmaxnreg.inc", true, FaultKind::divergent_warp, &compute_take};

}

using namespace emulation;

void emulated_setmaxnreg(bool increase, unsigned count, emulated_site site) {
    hot.current->slot[0] = count;
    Block::instance().exchange(increase ? kTake : kGive, hot.current->warp->lanes, count, site);
}
