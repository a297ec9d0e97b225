// Which thread runs next: by the schedule that was chosen; who gives way, who sleeps, who is woken.
#include "configuration.h"
#include "execution/block.h"
#include "execution/switch_stack.h"
#include "hopper/bulk_copy.h"

namespace emulation {

constexpr u32 kSpinsBeforeTimeout = 2'000'000;

// The order in which lanes and warps are looked at; between barriers, when nobody is ready.
void Block::shuffle_lanes() {
    const Schedule schedule = Configuration::instance().schedule;
    auto arrange = [&](u8* at, u8* position_of, u32 count) {
        for (u32 i = 0; i < count; i++)
            at[i] = (u8)(schedule == Schedule::reverse ? count - 1 - i : i);
        for (u32 i = count; schedule == Schedule::shuffled && i > 1; i--)
            std::swap(at[i - 1], at[random() % i]);
        for (u32 i = 0; i < count; i++)
            position_of[at[i]] = (u8)i;
    };
    arrange(warp_at, position_of_warp, (u32)warps.size());
    for (Warp& warp : warps)
        arrange(warp.lane_at, warp.position_of, kWarpLanes);
}

void Block::make_ready(Warp& warp, u32 lanes) {
    if (lanes == 0)
        return;
    if (lanes == 0xFFFFFFFF)
        warp.runnable = lanes;
    else
        for (u32 left = lanes; left != 0; left &= left - 1)
            warp.runnable |= 1u << warp.position_of[__builtin_ctz(left)];
    for (u32 left = lanes; left != 0; left &= left - 1)
        warp.threads[__builtin_ctz(left)].state = ThreadState::runnable;
    ready_warps |= 1u << position_of_warp[warp.index];
}

static u32 next_bit(u32 mask, u32 after) {
    const u32 above = after >= 31 ? 0 : mask & (0xFFFFFFFFu << (after + 1));
    return (u32)__builtin_ctz(above != 0 ? above : mask);
}

Thread* Block::pick(bool leave_warp) {
    const Thread* current = hot.current;
    Warp* warp = current == nullptr ? nullptr : current->warp;
    // What a bulk copy brings comes as late as it may: when nobody can go on without it.
    while (ready_warps == 0 && BulkCopies::instance().deliver_one()) {}
    if (warp == nullptr || warp->runnable == 0 || (leave_warp && ready_warps != 0)) {
        if (ready_warps == 0)
            return nullptr;
        warp = &warps[warp_at[next_bit(ready_warps, warp == nullptr ? 31 : position_of_warp[warp->index])]];
    }
    const u32 position = next_bit(warp->runnable, current != nullptr && current->warp == warp ? warp->position_of[current->lane] : 31);
    warp->runnable &= ~(1u << position);
    if (warp->runnable == 0)
        ready_warps &= ~(1u << position_of_warp[warp->index]);
    return &warp->threads[warp->lane_at[position]];
}

void Block::suspend(bool leave_warp) {
    Thread* from = hot.current;
    Thread* to = pick(leave_warp);
    if (to == from)
        return;
    hot.current = to;
    emulated_switch_stack(&from->stack_pointer, to != nullptr ? to->stack_pointer : host_stack);
}

void Block::give_way() {
    make_ready(*hot.current->warp, 1u << hot.current->lane);
    suspend(true);
}

void Block::sleep(Sleep sleep, u64 on, emulated_site site, std::string (*describe)(const Thread& thread)) {
    Thread& thread = *hot.current;
    thread.state = ThreadState::asleep;
    thread.sleep = sleep;
    thread.sleep_on = on;
    thread.describe_sleep = describe;
    thread.arrival.site = site;
    consecutive_spins = 0;
    suspend(false);
}

void Block::wake(Sleep sleep, u64 on) {
    for (Warp& warp : warps) {
        u32 waking = 0;
        for (u32 lane = 0; lane < kWarpLanes; lane++)
            if (warp.lanes >> lane & 1 && warp.threads[lane].state == ThreadState::asleep && warp.threads[lane].sleep == sleep && warp.threads[lane].sleep_on == on)
                waking |= 1u << lane;
        make_ready(warp, waking);
    }
}

bool Block::someone_sleeps(Sleep sleep, u64 on) const {
    for (u32 i = 0; i < running->block.count(); i++)
        if (threads[i].state == ThreadState::asleep && threads[i].sleep == sleep && threads[i].sleep_on == on)
            return true;
    return false;
}

// A loop that polls gives way now and then, or nobody would ever change what it looks at.
void Block::spin(emulated_site site) {
    consecutive_spins++;
    if (consecutive_spins > kSpinsBeforeTimeout)
        stop(FaultKind::launch_timeout, 0, "polls without end", nullptr, site);
    if (consecutive_spins % 16 == 0)
        give_way();
}

}
