// Barriers of a block: warps arrive as wholes.
#include "configuration.h"
#include "execution/block.h"
#include "faults/place.h"
#include "watch/order.h"

namespace emulation {

static void arrive(Warp& warp, u32) {
    Block::instance().arrive_at_barrier(warp);
}

static const Instruction kBarrier = {"a barrier", true, FaultKind::divergent_barrier, &arrive};

void Block::arrive_at_barrier(Warp& warp) {
    const Thread& leader = *hot.current;
    const emulated_site site = leader.arrival.site;
    const u32 id = leader.barrier_id;
    if (id >= 16 || leader.barrier_threads % kWarpLanes != 0)
        stop(FaultKind::bad_barrier, 0, text("uses barrier %u for %u threads: there are 16, for whole warps", id, leader.barrier_threads), nullptr, site);
    Barrier& barrier = barriers[id];
    const bool whole_block = leader.barrier_threads == 0;
    const u32 expected = whole_block ? (u32)warps.size() : leader.barrier_threads / kWarpLanes;
    if (barrier.arrived_warps == 0) {
        barrier.expected_warps = expected;
        barrier.whole_block = whole_block;
        barrier.site = site;
    } else if (barrier.expected_warps != expected || barrier.whole_block != whole_block) {
        stop(FaultKind::bad_barrier, 0, text("arrives at barrier %u for %u warps; others arrived%s for %u", id, expected,
                                             place_of_site(barrier.site).c_str(), barrier.expected_warps), nullptr, site);
    } else if (whole_block && !same_site(barrier.site, site)) {
        stop(FaultKind::divergent_barrier, 0, text("arrives at a barrier of the whole block while others wait at another one,%s",
                                                   place_of_site(barrier.site).c_str()), nullptr, site);
    }
    if (barrier.arrived_warps >> warp.index & 1)
        stop(FaultKind::bad_barrier, 0, text("arrives at barrier %u again before it was complete", id), nullptr, site);
    barrier.arrived_warps |= 1u << warp.index;
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        if (warp.lanes >> lane & 1)
            barrier.votes += warp.threads[lane].slot[0];
    if (!whole_block && hot.watching)
        barrier.participants.push_back(Order::instance().arrive(warp, leader.barrier_waits));
    if (leader.barrier_waits)
        for (u32 lane = 0; lane < kWarpLanes; lane++)
            if (warp.lanes >> lane & 1)
                warp.threads[lane].state = ThreadState::at_barrier;
    if ((u32)__builtin_popcount(barrier.arrived_warps) == barrier.expected_warps)
        complete_barrier(id, barrier);
}

// What one thread has waited for, all have that meet it at a barrier.
static void pass_on_grid_wait(std::vector<Warp>& warps, u32 arrived) {
    bool waited = false;
    const auto each = [&](auto action) {
        for (Warp& warp : warps)
            for (u32 lane = 0; arrived >> warp.index & 1 && lane < kWarpLanes; lane++)
                if (warp.lanes >> lane & 1)
                    action(warp.threads[lane]);
    };
    each([&](const Thread& thread) { waited |= thread.grid_waited; });
    if (waited)
        each([](Thread& thread) { thread.grid_waited = true; });
}

void Block::complete_barrier(u32, Barrier& barrier) {
    if (hot.watching) {
        if (barrier.whole_block)
            Order::instance().block_barrier(warps);
        else
            Order::instance().named_barrier(warps, barrier.participants);
    }
    if (running->overlaps_previous)
        pass_on_grid_wait(warps, barrier.arrived_warps);
    Thread* last = hot.current;
    const u32 arrived = barrier.arrived_warps;
    finished_votes = barrier.votes;
    if (barrier.whole_block && Configuration::instance().schedule == Schedule::shuffled)
        shuffle_lanes();
    barrier = {};
    for (Warp& warp : warps) {
        if (!(arrived >> warp.index & 1))
            continue;
        u32 waiting = 0;
        for (u32 lane = 0; lane < kWarpLanes; lane++)
            if (warp.lanes >> lane & 1 && warp.threads[lane].state == ThreadState::at_barrier) {
                warp.threads[lane].slot[0] = finished_votes;
                waiting |= 1u << lane;
            }
        if (&warp == last->warp && waiting != 0) {
            last->state = ThreadState::runnable;
            waiting &= ~(1u << last->lane);
        }
        make_ready(warp, waiting);
    }
}

// A thread that sleeps is nearer to the cause than one at a barrier, which waits for it; one that waits for registers nearer than one at an mbarrier.
bool Block::describe_sleepers() {
    const Thread* first = nullptr;
    std::string others;
    for (u32 i = 0; i < running->block.count(); i++) {
        const Thread& thread = threads[i];
        if (thread.state != ThreadState::asleep)
            continue;
        if (first == nullptr || thread.sleep > first->sleep)
            first = &thread;
    }
    for (u32 i = 0; first != nullptr && i < running->block.count(); i++) {
        const Thread& thread = threads[i];
        if (thread.state == ThreadState::asleep && others.empty() && (thread.sleep != first->sleep || thread.sleep_on != first->sleep_on))
            others = text("; thread %u: %s%s", thread.linear, thread.describe_sleep(thread).c_str(), place_of_site(thread.arrival.site).c_str());
    }
    if (first == nullptr)
        return false;
    Fault raised{FaultKind::deadlock};
    raised.message = text("waits for ever%s: %s%s", place_of_site(first->arrival.site).c_str(), first->describe_sleep(*first).c_str(), others.c_str());
    fault = named(std::move(raised), first);
    return true;
}

void Block::describe_deadlock() {
    const Thread* first = nullptr;
    u32 returned = 0;
    std::string others;
    for (u32 i = 0; i < running->block.count(); i++) {
        const Thread& thread = threads[i];
        if (thread.state == ThreadState::exited)
            returned++;
        else if (first == nullptr)
            first = &thread;
        else if (others.empty() && !same_site(thread.arrival.site, first->arrival.site))
            others = text("; thread %u waits at %s%s", thread.linear, thread.arrival.instruction->name, place_of_site(thread.arrival.site).c_str());
    }
    const bool barrier = first->state == ThreadState::at_barrier;
    Fault raised{barrier ? FaultKind::divergent_barrier : first->arrival.instruction->divergence};
    raised.message = text("waits for ever at %s%s: %u of %u threads have returned%s", first->arrival.instruction->name,
                          place_of_site(first->arrival.site).c_str(), returned, (u32)running->block.count(), others.c_str());
    fault = named(std::move(raised), first);
}

}

using namespace emulation;

extern "C" void emulated_barrier(unsigned id, unsigned threads, bool wait, emulated_site site) {
    Thread& thread = *hot.current;
    thread.barrier_id = id;
    thread.barrier_threads = threads;
    thread.barrier_waits = wait;
    thread.slot[0] = 0;
    Block::instance().exchange(kBarrier, thread.warp->lanes, id << 16 | threads << 1 | (u32)wait, site);
}

extern "C" unsigned emulated_barrier_count(bool predicate, emulated_site site) {
    Thread& thread = *hot.current;
    thread.barrier_id = 0;
    thread.barrier_threads = 0;
    thread.barrier_waits = true;
    thread.slot[0] = predicate;
    Block::instance().exchange(kBarrier, thread.warp->lanes, 1, site);
    return thread.slot[0];
}
