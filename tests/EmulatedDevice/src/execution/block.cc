#include "execution/block.h"
#include <cstring>
#include <new>
#include <sys/mman.h>
#include "configuration.h"
#include "execution/module.h"
#include "execution/switch_stack.h"
#include "faults/place.h"
#include "hopper/bulk_copy.h"
#include "hopper/mbarrier.h"
#include "hopper/registers.h"
#include "hopper/wgmma.h"
#include "instructions/async_copy.h"
#include "watch/order.h"

namespace emulation {

constexpr u32 kMaxThreads = 1024;
constexpr u64 kStackBytes = 128 * 1024;
constexpr u64 kStackGuardBytes = 4096;
constexpr u32 kPageBytes = 4096;

static void thread_entry() {
    Block::instance().run_thread();
}

Block& Block::instance() {
    static Block* block = new Block();
    return *block;
}

Block::Block() : threads(kMaxThreads) {
    const u64 shared_bytes = 2 * kSharedArenaBytes, stack_bytes = kMaxThreads * kStackBytes;
    stacks = (u8*)mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    shared_arena = (u8*)mmap(nullptr, shared_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED || shared_arena == MAP_FAILED)
        throw std::bad_alloc();
    for (u32 thread = 0; thread < kMaxThreads; thread++)
        mprotect(stacks + thread * kStackBytes, kStackGuardBytes, PROT_NONE);
    mprotect(shared_arena + kSharedArenaBytes, kSharedArenaBytes, PROT_NONE);
    hot.stacks_base = (u64)stacks;
    hot.stacks_bytes = stack_bytes;
    hot.dynamic_shared.cells = new Cell[kSharedArenaBytes / 4]();
    hot.dynamic_shared.written = new u8[kSharedArenaBytes / 8 + 8]();
}

u64 Block::random() {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

std::optional<Fault> Block::run(const Launch& launch, u64 index, u64 seed) {
    running = &launch;
    random_state = seed * 0x9E3779B97F4A7C15ull | 1;
    fault.reset();
    prepare(launch, index);
    if (Thread* first = pick(false)) {
        hot.current = first;
        emulated_switch_stack(&host_stack, first->stack_pointer);
    }
    if (!fault && living > 0 && !describe_sleepers())
        describe_deadlock();
    if (!fault)
        if (auto left = BulkCopies::instance().finish_block()) {
            fault = named(std::move(*left), &threads[0]);
        }
    hot.current = nullptr;
    if (hot.watching && grid_waited)
        Order::instance().grid_waited(!triggered_early);
    if (fault) {
        for (u32 i = 0; i < launch.block.count(); i++)
            forget_copies(threads[i]);
        forget_shared_history();
    }
    return std::move(fault);
}

// Copies that nobody will wait for must not look as if they were under way in the next block.
void Block::forget_shared_history() {
    std::memset(hot.dynamic_shared.cells, 0, kSharedArenaBytes / 4 * sizeof(Cell));
    if (hot.static_shared.bytes > 0)
        std::memset(hot.static_shared.cells, 0, (hot.static_shared.bytes / 4 + 1) * sizeof(Cell));
}

void Block::prepare(const Launch& launch, u64 index) {
    const u32 count = (u32)launch.block.count();
    const Dim3 at = launch.grid.at(index);
    warps.assign((count + kWarpLanes - 1) / kWarpLanes, Warp{});
    living = count;
    ready_warps = 0;
    finished_votes = 0;
    consecutive_spins = 0;
    grid_waited = triggered = triggered_early = false;
    for (Barrier& barrier : barriers)
        barrier = {};
    for (u32 i = 0; i < count; i++) {
        Thread& thread = threads[i];
        Warp& warp = warps[i / kWarpLanes];
        const Dim3 in = launch.block.at(i);
        thread.linear = i;
        thread.lane = i % kWarpLanes;
        thread.warp = &warp;
        thread.state = ThreadState::runnable;
        thread.grid_waited = false;
        thread.copies.clear();
        thread.open_group = thread.finished_groups = 0;
        thread.acquired = thread.observed = nullptr;
        thread.operands = nullptr;
        thread.proxy_fenced = 0;
        thread.bulk_group = 0;
        thread.has_fence = false;
        const u32 indices[12] = {in.x, in.y, in.z, at.x, at.y, at.z, launch.block.x, launch.block.y, launch.block.z,
                                 launch.grid.x, launch.grid.y, launch.grid.z};
        std::memcpy(thread.indices, indices, sizeof indices);
        if (thread.lane == 0) {
            warp.threads = &thread;
            warp.index = i / kWarpLanes;
        }
        warp.lanes |= 1u << thread.lane;
        prepare_stack(thread);
    }
    prepare_shared_memory(launch);
    if (hot.watching)
        Order::instance().begin_block(warps);
    Mbarriers::instance().begin_block();
    BulkCopies::instance().begin_block();
    Wgmma::instance().begin_block((u32)warps.size());
    Registers::instance().begin_block((u32)warps.size());
    shuffle_lanes();
    for (Warp& warp : warps)
        make_ready(warp, warp.lanes);
}

// As if emulated_switch_stack had saved six registers just before a return to thread_entry.
void Block::prepare_stack(Thread& thread) {
    auto* top = (u64*)(stacks + (thread.linear + 1) * kStackBytes);
    *--top = 0;
    *--top = (u64)&thread_entry;
    for (int saved = 0; saved < 6; saved++)
        *--top = 0;
    thread.stack_pointer = top;
}

// Dynamic shared memory begins behind the variables. Its base is aligned as much as a kernel may ask for and never more, and so is its address here: what
// asks for more, or takes offsets for addresses, fails.
void Block::prepare_shared_memory(const Launch& launch) {
    const Window& statics = launch.module->shared_window();
    const u32 behind = kFirstSharedAddress + (u32)(statics.base % kSharedAlignment + statics.bytes);
    dynamic_at = (behind + kSharedAlignment - 1) / kSharedAlignment * kSharedAlignment;
    if (dynamic_at % kPageBytes == 0)
        dynamic_at += kSharedAlignment;
    dynamic_offset = dynamic_at % kPageBytes;
    hot.dynamic_shared.base = (u64)dynamic_shared();
    std::memset(dynamic_shared(), 0xFF, launch.dynamic_shared_bytes);
    hot.dynamic_shared.bytes = launch.dynamic_shared_bytes;
    hot.static_shared = launch.module->shared_window();
    hot.static_valid = const_cast<u8*>(launch.module->shared_valid());
    std::memset((void*)hot.static_shared.base, 0xFF, hot.static_shared.bytes);
    if (!hot.watching)
        return;
    std::memset(hot.dynamic_shared.written, 0, launch.dynamic_shared_bytes / 8 + 1);
    if (hot.static_shared.bytes > 0)
        std::memset(hot.static_shared.written, 0, hot.static_shared.bytes / 8 + 1);
}

void Block::wait_for_grid() {
    hot.current->grid_waited = true;
    grid_waited = true;
}

void Block::launch_dependents() {
    triggered_early |= !triggered && !hot.current->grid_waited;
    triggered = true;
}

void Block::run_thread() {
    running->kernel->call(running->arguments.data());
    Thread& thread = *hot.current;
    Warp& warp = *thread.warp;
    forget_copies(thread);
    BulkCopies::instance().check_exit(thread);
    for (u32 left = warp.arrived; left != 0; left &= left - 1) {
        const Thread& waiting = warp.threads[__builtin_ctz(left)];
        if (waiting.arrival.members >> thread.lane & 1)
            stop(waiting.arrival.instruction->divergence, 0,
                 text("returns while thread %u of its warp waits for it at %s%s", waiting.linear, waiting.arrival.instruction->name,
                      place_of_site(waiting.arrival.site).c_str()), nullptr, nullptr);
    }
    warp.exited |= 1u << thread.lane;
    thread.state = ThreadState::exited;
    living--;
    consecutive_spins = 0;
    suspend(false);
    __builtin_unreachable();
}

void Block::check_members(const Instruction& instruction, u32 members) {
    const Thread& thread = *hot.current;
    const Warp& warp = *thread.warp;
    const emulated_site site = thread.arrival.site;
    if (!(members >> thread.lane & 1))
        stop(FaultKind::bad_lane, 0, text("executes %s with members 0x%08x, which leave out its own lane %u", instruction.name, members, thread.lane),
             nullptr, site);
    if (members & ~warp.lanes)
        stop(FaultKind::bad_lane, 0, text("executes %s with members 0x%08x, but the warp has only the lanes 0x%08x", instruction.name, members,
                                          warp.lanes), nullptr, site);
    if (members & warp.exited)
        stop(instruction.divergence, 0, text("executes %s, but lanes 0x%08x of its warp have returned", instruction.name, members & warp.exited),
             nullptr, site);
}

void Block::check_agreement(Warp& warp, u32 members) {
    const Arrival& mine = hot.current->arrival;
    for (u32 left = members; left != 0; left &= left - 1) {
        const Thread& other = warp.threads[__builtin_ctz(left)];
        const Arrival& theirs = other.arrival;
        const bool agree = theirs.instruction == mine.instruction && theirs.members == mine.members && theirs.qualifier == mine.qualifier
            && (!mine.instruction->aligned || same_site(theirs.site, mine.site));
        if (!agree)
            stop(mine.instruction->divergence, 0,
                 text("executes %s (members 0x%08x) while thread %u of its warp is at %s%s (members 0x%08x)", mine.instruction->name, mine.members,
                      other.linear, theirs.instruction->name, place_of_site(theirs.site).c_str(), theirs.members), nullptr, mine.site);
    }
}

void Block::exchange(const Instruction& instruction, u32 members, u32 qualifier, emulated_site site) {
    Thread& thread = *hot.current;
    Warp& warp = *thread.warp;
    thread.arrival = {&instruction, members, qualifier, site};
    if (members != 0xFFFFFFFF || warp.lanes != members || warp.exited != 0)
        check_members(instruction, members);
    warp.arrived |= 1u << thread.lane;
    thread.state = ThreadState::at_warp;
    if ((warp.arrived & members) != members) {
        suspend(false);
        return;
    }
    check_agreement(warp, members);
    warp.arrived &= ~members;
    consecutive_spins = 0;
    instruction.compute(warp, members);
    if (thread.state == ThreadState::at_barrier) {
        suspend(false);
        return;
    }
    if (thread.state == ThreadState::at_warp) {
        thread.state = ThreadState::runnable;
        make_ready(warp, members & ~(1u << thread.lane));
    }
}

void Block::stop(FaultKind kind, u64 address, std::string message, const void* pc, emulated_site site) {
    Fault raised{kind};
    raised.address = address;
    raised.message = std::move(message) + (pc != nullptr ? place_of(pc) : place_of_site(site != nullptr ? site : hot.current->arrival.site));
    fault = named(std::move(raised), hot.current);
    void* abandoned;
    emulated_switch_stack(&abandoned, host_stack);
    __builtin_unreachable();
}

Fault Block::named(Fault raised, const Thread* thread) const {
    raised.in_kernel = true;
    raised.kernel = running->name;
    raised.block = {thread->indices[3], thread->indices[4], thread->indices[5]};
    raised.thread = {thread->indices[0], thread->indices[1], thread->indices[2]};
    return raised;
}

bool Block::copy_under_way(u64 address, u32 bytes) const {
    for (u32 i = 0; i < running->block.count(); i++)
        for (const AsyncCopy& copy : threads[i].copies)
            if (address < copy.destination + copy.bytes && copy.destination < address + bytes)
                return true;
    return false;
}

bool Block::in_stack_guard(u64 address) const {
    const u64 offset = address - hot.stacks_base;
    return offset < hot.stacks_bytes && offset % kStackBytes < kStackGuardBytes;
}

std::string Block::describe_shared(u64 address, u32) const {
    if (in_shared_window(address))
        return text("byte %llu of dynamic shared memory (%u bytes)", (unsigned long long)(address - hot.dynamic_shared.base), running->dynamic_shared_bytes);
    const u64 offset = address - hot.static_shared.base;
    const SharedVariable* before = nullptr;
    for (const SharedVariable& variable : running->module->shared_variables())
        if (offset < hot.static_shared.bytes && variable.offset <= offset)
            before = &variable;
    if (before != nullptr)
        return text("byte %llu of shared variable %s (%llu bytes)", (unsigned long long)(offset - before->offset), before->name.c_str(),
                    (unsigned long long)before->bytes);
    return text("address 0x%llx, which is neither device nor shared memory", (unsigned long long)address);
}

}
