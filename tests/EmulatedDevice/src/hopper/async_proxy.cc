#include "hopper/async_proxy.h"
#include <cstring>
#include "execution/block.h"
#include "execution/module.h"
#include "watch/access.h"
#include "watch/address_space.h"
#include "watch/order.h"

namespace emulation {

static constexpr u32 kWords = kChunkBytes / 4;

std::string place_of_shared(u32 shared_address) {
    const Block& block = Block::instance();
    const u32 in_dynamic = shared_address - block.dynamic_address();
    if (in_dynamic < hot.dynamic_shared.bytes)
        return text("byte %u of dynamic shared memory (shared address 0x%x)", in_dynamic, shared_address);
    return text("shared address 0x%x", shared_address);
}

[[noreturn]] static void stop(FaultKind kind, const SharedChunk& chunk, const std::string& message, emulated_site site) {
    Block::instance().stop(kind, (u64)chunk.data, message, nullptr, site);
}

static std::string at(const SharedChunk& chunk) {
    return text("16 bytes at %s", Block::instance().describe_shared((u64)chunk.data, kChunkBytes).c_str());
}

static bool covers(const Window& window, const u8* valid, u64 address) {
    const u64 offset = address - window.base;
    return offset < window.bytes && offset + kChunkBytes <= window.bytes && (valid == nullptr || bits_of(valid, offset, kChunkBytes) == 0xFFFF);
}

SharedChunk chunk_at(u32 shared_address, const char* what, emulated_site site) {
    Block& block = Block::instance();
    const u64 dynamic = (u64)block.dynamic_shared() + (shared_address - block.dynamic_address());
    const u64 statics = hot.static_shared.base / Block::kSharedAlignment * Block::kSharedAlignment + (shared_address - Block::kFirstSharedAddress);
    const bool in_dynamic = shared_address >= block.dynamic_address() && covers(hot.dynamic_shared, nullptr, dynamic);
    if (!in_dynamic && !(shared_address >= Block::kFirstSharedAddress && covers(hot.static_shared, hot.static_valid, statics)))
        block.stop(FaultKind::out_of_bounds, shared_address, text("%s at %s, where no variable and no dynamic shared memory is", what,
                                                                  place_of_shared(shared_address).c_str()), nullptr, site);
    const Window& window = in_dynamic ? hot.dynamic_shared : hot.static_shared;
    const u64 address = in_dynamic ? dynamic : statics, offset = address - window.base;
    return {(u8*)address, window.cells + offset / 4, window.written, offset};
}

static void refuse_pending(const SharedChunk& chunk, const char* what, emulated_site site) {
    stop(FaultKind::async_copy_not_waited, chunk, text("%s %s while a copy that writes them has not been waited for", what, at(chunk).c_str()), site);
}

static void refuse_unordered(const SharedChunk& chunk, const char* what, const std::string& who, bool wrote, emulated_site site) {
    stop(FaultKind::shared_memory_race, chunk, text("%s %s, which %s %s; no barrier, mbarrier or wait between them", what, at(chunk).c_str(), who.c_str(),
                                                    wrote ? "wrote" : "read"), site);
}

static void check_writer(const SharedChunk& chunk, const Cell& cell, const char* what, emulated_site site) {
    const Order& order = Order::instance();
    const Stamp writer = cell.write & ~kAtomic;
    if (writer == 0)
        return;
    if (writer == kPendingAsync)
        refuse_pending(chunk, what, site);
    if (writer != hot.current->stamp && !order.before(writer, false))
        refuse_unordered(chunk, what, order.who(writer), true, site);
    if (!order.proxy_fenced(writer))
        stop(FaultKind::async_proxy, chunk, text("%s %s, which %s wrote, with no fence.proxy.async of that thread behind it", what, at(chunk).c_str(),
                                                 order.who(writer).c_str()), site);
}

void check_async_read(const SharedChunk& chunk, const char* what, emulated_site site) {
    if (!hot.watching)
        return;
    Cell* cells[4];
    for (u32 word = 0; word < kWords; word++)
        for (u32 i = cells_of_word(chunk.cells[word], true, cells); i-- > 0;)
            check_writer(chunk, *cells[i], what, site);
    if (bits_of(chunk.written, chunk.offset, kChunkBytes) != 0xFFFF)
        stop(FaultKind::uninitialised_read, chunk, text("%s %s, but nobody wrote them all", what, at(chunk).c_str()), site);
}

void check_unchanged(const SharedChunk& chunk, Stamp issued, const char* what, emulated_site site) {
    if (!hot.watching)
        return;
    Cell* cells[4];
    for (u32 word = 0; word < kWords; word++)
        for (u32 i = cells_of_word(chunk.cells[word], true, cells); i-- > 0;) {
            const Stamp writer = cells[i]->write & ~kAtomic;
            if (writer == kPendingAsync)
                stop(FaultKind::shared_memory_race, chunk, text("%s %s, into which a copy is under way: they were given away before the wait", what,
                                                                at(chunk).c_str()), site);
            if (writer >= issued || (writer != 0 && writer != hot.current->stamp && !Order::instance().before(writer, false)))
                stop(FaultKind::shared_memory_race, chunk, text("%s %s, which %s wrote before the wait", what, at(chunk).c_str(),
                                                                Order::instance().who(writer).c_str()), site);
        }
}

void mark_async_read(const SharedChunk& chunk, Stamp reader, u32 warp) {
    if (!hot.watching)
        return;
    Cell* cells[4];
    for (u32 word = 0; word < kWords; word++)
        for (u32 i = cells_of_word(chunk.cells[word], true, cells); i-- > 0;)
            cells[i]->read = cells[i]->read == 0 ? reader : Order::instance().merge_reader(cells[i]->read, reader, warp);
}

void begin_async_write(const SharedChunk& chunk, const char* what, emulated_site site) {
    if (hot.watching) {
        const Order& order = Order::instance();
        Cell* cells[4];
        for (u32 word = 0; word < kWords; word++) {
            for (u32 i = cells_of_word(chunk.cells[word], true, cells); i-- > 0;) {
                check_writer(chunk, *cells[i], what, site);
                if (cells[i]->read != 0 && cells[i]->read != hot.current->stamp && !order.readers_before(cells[i]->read))
                    refuse_unordered(chunk, what, order.who_read(cells[i]->read), false, site);
            }
            chunk.cells[word] = {kPendingAsync, 0};
        }
        set_bits(chunk.written, chunk.offset, kChunkBytes);
    }
    std::memset(chunk.data, 0xFF, kChunkBytes);
}

void deliver(const SharedChunk& chunk, const u8* data, Stamp writer) {
    std::memcpy(chunk.data, data, kChunkBytes);
    for (u32 word = 0; hot.watching && word < kWords; word++)
        chunk.cells[word] = {writer, 0};
}

void check_async_global_read(u64 address, u32 bytes, const char* what, emulated_site site) {
    if (!hot.watching)
        return;
    const AddressSpace& space = AddressSpace::instance();
    if (!space.accessible(address, bytes))
        Block::instance().stop(FaultKind::out_of_bounds, address, text("%s %u bytes at %s", what, bytes, space.describe(address, bytes).c_str()), nullptr,
                               site);
    Cell* cells[4];
    for (u64 word = (address - hot.device.base) / 4; word * 4 < address - hot.device.base + bytes; word++)
        for (u32 i = cells_of_word(hot.device.cells[word], false, cells); i-- > 0;) {
            const Stamp writer = cells[i]->write & ~kAtomic;
            if (writer != kPendingAsync && Order::instance().same_launch(writer) && !Order::instance().proxy_fenced(writer))
                Block::instance().stop(FaultKind::async_proxy, address,
                                       text("%s %s, which %s wrote, with no fence.proxy.async of that thread behind it", what,
                                            space.describe(address, bytes).c_str(), Order::instance().who(writer).c_str()),
                                       nullptr, site);
        }
    hot.current->arrival.site = site;
    touch_range(address, bytes, Access::read, nullptr);
}

}
