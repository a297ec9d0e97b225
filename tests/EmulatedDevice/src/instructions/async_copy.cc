#include "instructions/async_copy.h"
#include <algorithm>
#include <cstring>
#include "execution/block.h"
#include "watch/access.h"

using namespace emulation;

static Cell* cells_of(u64 address) {
    const Window& window = address - hot.dynamic_shared.base < hot.dynamic_shared.bytes ? hot.dynamic_shared : hot.static_shared;
    return window.cells + (address - window.base) / 4;
}

static void mark(const AsyncCopy& copy, Stamp stamp) {
    Cell* cells = cells_of(copy.destination);
    for (u32 word = 0; word < copy.bytes / 4; word++)
        cells[word] = {stamp, 0};
}

void emulation::forget_copies(Thread& thread) {
    if (hot.watching)
        for (const AsyncCopy& copy : thread.copies)
            mark(copy, 0);
    thread.copies.clear();
}

template <Access access>
static void touch_sized(u64 address, u32 bytes, const void* pc) {
    switch (bytes) {
    case 4: touch<4, access>(address, pc); break;
    case 8: touch<8, access>(address, pc); break;
    case 16: touch<16, access>(address, pc); break;
    default: touch_range(address, bytes, access, pc); break;
    }
}

// The source is taken now and the destination written at the wait: whoever looks between sees what was there before.
void emulated_async_copy(unsigned shared_address, const void* source, unsigned bytes, unsigned source_bytes, emulated_site site) {
    Thread& thread = *hot.current;
    const void* pc = __builtin_return_address(0);
    const u64 destination = (u64)emulated_shared_pointer(shared_address);
    if (source_bytes > bytes)
        Block::instance().stop(FaultKind::bad_argument, 0, text("cp.async of %u bytes with a source of %u", bytes, source_bytes), nullptr, site);
    if ((u64)source % bytes != 0 || destination % bytes != 0)
        Block::instance().stop(FaultKind::misaligned_address, (u64)source % bytes != 0 ? (u64)source : destination,
                               text("cp.async of %u bytes from 0x%llx to shared address 0x%x: both must be multiples of %u", bytes,
                                    (unsigned long long)source, shared_address, bytes), nullptr, site);
    if (source_bytes > 0)
        touch_sized<Access::read>((u64)source, source_bytes, pc);
    touch_sized<Access::write>(destination, bytes, pc);
    AsyncCopy copy{destination, bytes, thread.open_group, {}};
    std::memcpy(copy.data, source, source_bytes);
    if (hot.watching)
        mark(copy, kPendingAsync);
    thread.copies.push_back(copy);
}

void emulated_async_commit() {
    hot.current->open_group++;
}

static void finish_groups(Thread& thread, u32 before) {
    const auto rest = std::stable_partition(thread.copies.begin(), thread.copies.end(), [&](const AsyncCopy& copy) { return copy.group >= before; });
    for (auto copy = rest; copy != thread.copies.end(); ++copy) {
        std::memcpy((void*)copy->destination, copy->data, copy->bytes);
        if (hot.watching)
            mark(*copy, thread.stamp);
    }
    thread.copies.erase(rest, thread.copies.end());
}

void emulated_async_wait(unsigned pending) {
    Thread& thread = *hot.current;
    if (thread.open_group > pending)
        finish_groups(thread, thread.open_group - pending);
}

void emulated_async_wait_all() {
    finish_groups(*hot.current, 0xFFFFFFFF);
}
