// Atomics, ordered loads and stores, fences.
#include <algorithm>
#include <bit>
#include "execution/block.h"
#include "watch/access.h"
#include "watch/order.h"

using namespace emulation;

template <typename T, typename Signed>
static T result_of_atomic(emulated_atomic operation, T old, T a, T compare) {
    switch (operation) {
    case emulated_add: return old + a;
    case emulated_sub: return old - a;
    case emulated_exchange: return a;
    case emulated_compare_exchange: return old == compare ? a : old;
    case emulated_min_signed: return (T)std::min((Signed)old, (Signed)a);
    case emulated_max_signed: return (T)std::max((Signed)old, (Signed)a);
    case emulated_min: return std::min(old, a);
    case emulated_max: return std::max(old, a);
    case emulated_and: return old & a;
    case emulated_or: return old | a;
    case emulated_xor: return old ^ a;
    case emulated_increment: return old >= a ? 0 : old + 1;
    case emulated_decrement: return old == 0 || old > a ? a : old - 1;
    case emulated_add_f32: return (T)std::bit_cast<u32>(std::bit_cast<float>((u32)old) + std::bit_cast<float>((u32)a));
    }
    return old;
}

// Publishing first and observing after is right for an exchange too: the thread hands over what it did before, and learns what others handed over.
static void order_atomic(void* address, emulated_order order) {
    if (!hot.watching)
        return;
    Thread& thread = *hot.current;
    Order::instance().publish(thread, (u64)address, order & emulated_release);
    Order::instance().observe(thread, (u64)address, order & emulated_acquire);
}

static void refuse_odd_address(const void* address, u32 bytes, emulated_site site) {
    if ((u64)address % bytes != 0)
        Block::instance().stop(FaultKind::misaligned_address, (u64)address, text("does an atomic of %u bytes at 0x%llx", bytes,
                                                                                 (unsigned long long)address), nullptr, site);
}

static void count_as_written(u64 address, u32 bytes) {
    for (const Window* window : {&hot.device, &hot.dynamic_shared, &hot.static_shared})
        if (address - window->base < window->bytes)
            set_bits(window->written, address - window->base, bytes);
}

unsigned emulated_atomic_u32(emulated_atomic operation, void* address, unsigned a, unsigned compare, emulated_order order, emulated_site site) {
    refuse_odd_address(address, 4, site);
    touch<4, Access::atomic>((u64)address, __builtin_return_address(0));
    order_atomic(address, order);
    u32& word = *(u32*)address;
    const u32 old = word;
    word = result_of_atomic<u32, i32>(operation, old, a, compare);
    if (operation == emulated_compare_exchange && old != compare)
        Block::instance().spin(site);
    return old;
}

unsigned long long emulated_atomic_u64(emulated_atomic operation, void* address, unsigned long long a, unsigned long long compare,
                                       emulated_order order, emulated_site site) {
    refuse_odd_address(address, 8, site);
    touch<8, Access::atomic>((u64)address, __builtin_return_address(0));
    order_atomic(address, order);
    auto& word = *(unsigned long long*)address;
    const unsigned long long old = word;
    word = result_of_atomic<unsigned long long, long long>(operation, old, a, compare);
    return old;
}

unsigned emulated_load_u32(const void* address, emulated_order order, emulated_site site) {
    refuse_odd_address(address, 4, site);
    touch<4, Access::atomic>((u64)address, __builtin_return_address(0));
    if (hot.watching)
        Order::instance().observe(*hot.current, (u64)address, order & emulated_acquire);
    const u32 value = *(const volatile u32*)address;
    Block::instance().spin(site);
    return value;
}

void emulated_store_u32(void* address, unsigned a, emulated_order order, emulated_site site) {
    refuse_odd_address(address, 4, site);
    if (hot.watching) {
        // The bytes need not have been written before: the plain check of a write, then the atomic's mark.
        count_as_written((u64)address, 4);
        touch<4, Access::atomic>((u64)address, __builtin_return_address(0));
        Order::instance().overwrite((u64)address);
        Order::instance().publish(*hot.current, (u64)address, order & emulated_release);
    }
    *(volatile u32*)address = a;
}

void emulated_fence(emulated_scope) {
    if (hot.watching)
        Order::instance().fence(*hot.current);
}
