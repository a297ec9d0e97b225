// Indices, addresses of shared memory, the read-only path, and what is left.
#include <chrono>
#include "execution/block.h"
#include "watch/access.h"
#include "watch/address_space.h"
#include "watch/order.h"

using namespace emulation;

unsigned emulated_index(unsigned which) {
    return hot.current->indices[which];
}

// The block's window as 32-bit addresses: the system's part, the variables, and behind them the dynamic part.
static u64 static_window() {
    return hot.static_shared.base / Block::kSharedAlignment * Block::kSharedAlignment;
}

unsigned emulated_shared_address(const void* generic) {
    const Block& block = Block::instance();
    const u64 dynamic = (u64)generic - (u64)block.dynamic_shared();
    if (dynamic < Block::kSharedArenaBytes)
        return block.dynamic_address() + (u32)dynamic;
    const u64 statics = (u64)generic - static_window();
    if (hot.static_shared.bytes > 0 && statics <= hot.static_shared.bytes + Block::kSharedAlignment)
        return Block::kFirstSharedAddress + (u32)statics;
    Block::instance().stop(FaultKind::illegal_address, (u64)generic, text("takes 0x%llx for an address of shared memory", (unsigned long long)(u64)generic),
                           __builtin_return_address(0), nullptr);
}

void* emulated_shared_pointer(unsigned shared_address) {
    Block& block = Block::instance();
    if (shared_address >= block.dynamic_address() && shared_address < block.dynamic_address() + Block::kSharedArenaBytes)
        return block.dynamic_shared() + (shared_address - block.dynamic_address());
    if (shared_address >= Block::kFirstSharedAddress && shared_address < block.dynamic_address() && hot.static_shared.bytes > 0)
        return (void*)(static_window() + (shared_address - Block::kFirstSharedAddress));
    block.stop(FaultKind::out_of_bounds, shared_address, text("uses 0x%x as an address of shared memory", shared_address), __builtin_return_address(0),
               nullptr);
}

unsigned char* emulated_dynamic_shared() {
    return Block::instance().dynamic_shared();
}

void emulated_read_only(const void* address, unsigned bytes, emulated_site site) {
    const u64 offset = (u64)address - hot.device.base;
    if (!hot.watching || !AddressSpace::instance().accessible((u64)address, bytes))
        return;
    for (u64 word = offset / 4; word * 4 < offset + bytes; word++) {
        const Stamp writer = hot.device.cells[word].write & ~kAtomic;
        const bool split = writer == kSplit;
        if (!split && writer != 0 && Order::instance().same_launch(writer))
            Block::instance().stop(FaultKind::read_only_path, (u64)address,
                                   text("reads %s by the read-only path, but %s wrote there in the same launch",
                                        AddressSpace::instance().describe((u64)address, bytes).c_str(), Order::instance().who(writer).c_str()),
                                   nullptr, site);
    }
}

void emulated_prefetch(const void* address, emulated_site site) {
    if (hot.watching && !AddressSpace::instance().accessible((u64)address, 1))
        Block::instance().stop(FaultKind::out_of_bounds, (u64)address,
                               "prefetches " + AddressSpace::instance().describe((u64)address, 1), nullptr, site);
}

void emulated_grid_wait() {
    Block::instance().wait_for_grid();
}

void emulated_grid_launch_dependents() {
    Block::instance().launch_dependents();
}

void emulated_yield() {
    Block::instance().spin(nullptr);
    Block::instance().give_way();
}

unsigned long long emulated_nanoseconds() {
    return (unsigned long long)std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void emulated_trap(const char* what, emulated_site site) {
    Block::instance().stop(FaultKind::trap, 0, what, nullptr, site);
}
