#include "watch/access.h"
#include "execution/block.h"
#include "execution/module.h"
#include "faults/fault.h"
#include "hopper/wgmma.h"
#include "watch/address_space.h"
#include "watch/order.h"

namespace emulation {

// Words whose bytes have different histories: one cell for each byte. Indices grow; what an earlier launch left has lost its meaning.
struct SplitWord {
    Cell bytes[4];
};

static std::vector<SplitWord> split_words;
static u32 first_split = 1;

void forget_split_words() {
    first_split += (u32)split_words.size();
    split_words.clear();
}

static const char* verb(Access access) {
    return access == Access::read ? "reads" : access == Access::write ? "writes" : "does an atomic on";
}

static std::string where(u64 address, u32 bytes) {
    return AddressSpace::instance().contains(address) ? AddressSpace::instance().describe(address, bytes)
                                                      : Block::instance().describe_shared(address, bytes);
}

[[noreturn]] static void stop(FaultKind kind, u64 address, std::string message, const void* pc) {
    Block::instance().stop(kind, address, std::move(message), pc, nullptr);
}

void refuse_device(u64 address, u32 bytes, Access access, const void* pc) {
    const Allocation* near = AddressSpace::instance().nearest(address);
    const bool freed = near != nullptr && near->freed && address < near->base + near->bytes && address >= near->base;
    stop(freed ? FaultKind::use_after_free : FaultKind::out_of_bounds, address,
         text("%s %u bytes at %s", verb(access), bytes, where(address, bytes).c_str()), pc);
}

void refuse_shared(u64 address, u32 bytes, Access access, const void* pc) {
    stop(FaultKind::out_of_bounds, address, text("%s %u bytes at %s", verb(access), bytes, where(address, bytes).c_str()), pc);
}

void refuse_misaligned(u64 address, u32 bytes, Access access, const void* pc) {
    stop(FaultKind::misaligned_address, address,
         text("%s %u bytes at %s, which is not a multiple of %u", verb(access), bytes, where(address, bytes).c_str(), bytes), pc);
}

void refuse_unwritten(u64 address, u32 bytes, bool shared, const void* pc) {
    u64 first = address;
    if (!shared) {
        AddressSpace& space = AddressSpace::instance();
        first = space.first_unwritten(address, address + bytes);
        if (first == address + bytes)
            return;
    } else {
        const Window& window = address - hot.dynamic_shared.base < hot.dynamic_shared.bytes ? hot.dynamic_shared : hot.static_shared;
        while (window.written[(first - window.base) / 8] >> (first - window.base) % 8 & 1)
            first++;
    }
    if (Block::instance().copy_under_way(address, bytes))
        stop(FaultKind::async_copy_not_waited, address, text("reads %u bytes at %s before the cp.async that writes them was waited for", bytes,
                                                             where(address, bytes).c_str()), pc);
    stop(FaultKind::uninitialised_read, first, text("reads %u bytes at %s, but nobody wrote byte %u of them", bytes, where(address, bytes).c_str(),
                                                    (u32)(first - address)), pc);
}

[[noreturn]] static void refuse_race(Stamp other, const std::string& who, bool other_wrote, u64 address, u32 bytes, Access access, bool shared, const void* pc) {
    const bool other_work = !Order::instance().same_launch(other);
    const FaultKind kind = shared ? FaultKind::shared_memory_race : other_work ? FaultKind::stream_race : FaultKind::global_memory_race;
    const char* advice = other_work ? "no event, synchronisation or griddepcontrol.wait between them" : "no barrier, warp synchronisation or fenced atomic between them";
    stop(kind, address, text("%s %u bytes at %s, which %s %s; %s", verb(access), bytes, where(address, bytes).c_str(), who.c_str(),
                             other_wrote ? "wrote" : "read", advice), pc);
}

static void settle(Cell& cell, u64 address, u32 bytes, Access access, bool shared, const void* pc) {
    Order& order = Order::instance();
    const Stamp mine = hot.current->stamp;
    if (cell.write == kPendingAsync)
        stop(FaultKind::async_copy_not_waited, address, text("%s %u bytes at %s while a cp.async that writes them has not been waited for", verb(access),
                                                             bytes, where(address, bytes).c_str()), pc);
    const bool both_atomic = access == Access::atomic && cell.write & kAtomic;
    // Shared memory begins anew with every block; the stamps of earlier ones are no longer meant.
    if (shared && (cell.write & ~kAtomic) < hot.block_first)
        cell.write = 0;
    if (shared && !Order::instance().readers_in_block(cell.read))
        cell.read = 0;
    const Stamp writer = cell.write & ~kAtomic;
    if (writer != mine && !both_atomic && !order.before(writer, false))
        refuse_race(writer, order.who(writer), true, address, bytes, access, shared, pc);
    if (access != Access::read) {
        if (cell.read != mine && cell.read != 0 && !order.readers_before(cell.read))
            refuse_race(order.latest_reader(cell.read), order.who_read(cell.read), false, address, bytes, access, shared, pc);
        cell = {access == Access::atomic ? mine | kAtomic : mine, 0};
        return;
    }
    if (cell.read == mine)
        return;
    cell.read = cell.read == 0 || order.readers_before(cell.read) ? mine : order.merge_reader(cell.read, mine, hot.current->warp->index);
}

void settle_word(Cell& cell, u64 address, u32 bytes, Access access, bool shared, const void* pc) {
    if (cell.write == kSplit && cell.read < first_split)
        cell = {0, 0};
    if (cell.write != kSplit) {
        if (bytes == 4) {
            settle(cell, address, bytes, access, shared, pc);
            return;
        }
        split_words.push_back({{cell, cell, cell, cell}});
        cell = {kSplit, first_split + (u32)split_words.size() - 1};
    }
    SplitWord& word = split_words[cell.read - first_split];
    for (u32 byte = 0; byte < bytes; byte++)
        settle(word.bytes[(address + byte) % 4], address, bytes, access, shared, pc);
}

u32 cells_of_word(Cell& cell, bool shared, Cell* (&cells)[4]) {
    if (cell.write == kSplit && cell.read < first_split)
        cell = {0, 0};
    const u32 count = cell.write == kSplit ? 4 : 1;
    for (u32 i = 0; i < count; i++) {
        cells[i] = count == 1 ? &cell : &split_words[cell.read - first_split].bytes[i];
        if (shared && (cells[i]->write & ~kAtomic) < hot.block_first)
            cells[i]->write = 0;
        if (shared && !Order::instance().readers_in_block(cells[i]->read))
            cells[i]->read = 0;
    }
    return count;
}

void settle_page(const Page& page, u64 address, u32 bytes, Access access, const void* pc) {
    if (!Order::instance().before(page.stamp, false))
        refuse_race(page.stamp, Order::instance().who(page.stamp), true, address, bytes, access, false, pc);
}

void elsewhere(u64 address, u32 bytes, Access access, const void* pc) {
    if (hot.current == nullptr || Module::containing((const void*)address) != nullptr)
        return;
    if (access == Access::read && Block::instance().in_arguments(address, bytes))
        return;
    if (Block::instance().in_shared_window(address))
        refuse_shared(address, bytes, access, pc);
    stop(FaultKind::illegal_address, address, text("%s %u bytes at %s", verb(access), bytes, where(address, bytes).c_str()), pc);
}

// Local memory stands for registers: those of a wgmma that is under way belong to it.
void check_registers(u64 address, u32 bytes, Access access, const void* pc) {
    if (const char* what = Wgmma::instance().holds_register(address, bytes, access == Access::write))
        stop(FaultKind::bad_wgmma, 0, text("%s %s of a wgmma that has not been waited for", verb(access), what), pc);
}

template <Access access>
static void touch_pieces(u64 address, u64 bytes, const void* pc) {
    while (bytes > 0) {
        const u32 step = address % 4 == 0 && bytes >= 4 ? 4 : 1;
        step == 4 ? touch<4, access>(address, pc) : touch<1, access>(address, pc);
        address += step;
        bytes -= step;
    }
}

void touch_range(u64 address, u64 bytes, Access access, const void* pc) {
    if (!hot.watching)
        return;
    access == Access::read ? touch_pieces<Access::read>(address, bytes, pc) : touch_pieces<Access::write>(address, bytes, pc);
}

}
