#include "driver/work.h"
#include <algorithm>
#include <cstring>
#include "configuration.h"
#include "driver/host_guard.h"
#include "execution/grid.h"
#include "watch/address_space.h"
#include "watch/order.h"

namespace emulation {

void join(Known& known, const Known& more) {
    for (const auto& [stream, sequence] : more) {
        u64& mine = known[stream];
        mine = std::max(mine, sequence);
    }
}

std::optional<Fault> KernelWork::execute(const Turn& turn) const {
    return run_grid(launch, turn.stream, turn.sequence, turn.known);
}

static Fault work_fault(FaultKind kind, u64 address, std::string message) {
    Fault fault{kind};
    fault.address = address;
    fault.message = std::move(message);
    return fault;
}

// Where other streams did something that this work does not know to be done, every word of the range is looked at.
static std::optional<Fault> find_race(const char* name, u64 address, u64 bytes, bool writes) {
    const Order& order = Order::instance();
    const u64 offset = address - hot.device.base;
    for (u64 word = offset / 4; hot.floor != hot.block_first && word * 4 < offset + bytes; word++) {
        const Page& page = hot.pages[word * 4 >> 12];
        const Cell cell = hot.device.cells[word];
        const Stamp newest = std::max(page.stamp, cell.write == kSplit ? 0 : cell.write & ~kAtomic);
        const bool written = newest >= hot.floor && !order.before(newest, false);
        const bool read = writes && cell.read >= hot.floor && !order.readers_before(cell.read);
        if (written || read)
            return work_fault(FaultKind::stream_race, hot.device.base + word * 4,
                              text("%s %s %s, which %s %s; no event or synchronisation between them", name, writes ? "writes" : "reads",
                                   AddressSpace::instance().describe(hot.device.base + word * 4, 4).c_str(),
                                   (written ? order.who(newest) : order.who_read(cell.read)).c_str(), written ? "wrote" : "read"));
    }
    return std::nullopt;
}

// The range as a step of the stream's order; a fault where it is not there or not in order.
static std::optional<Fault> touch_device_range(const char* name, u64 address, u64 bytes, bool writes, Stamp) {
    AddressSpace& space = AddressSpace::instance();
    if (bytes > 0 && !space.accessible(address, bytes))
        return work_fault(space.nearest(address) != nullptr && space.nearest(address)->freed ? FaultKind::use_after_free : FaultKind::out_of_bounds, address,
                          text("%s of %llu bytes: %s", name, (unsigned long long)bytes, space.describe(address, (u32)std::min<u64>(bytes, 1u << 31)).c_str()));
    return Configuration::instance().watch ? find_race(name, address, bytes, writes) : std::nullopt;
}

static Stamp begin(const char* name, const Turn& turn) {
    if (!Configuration::instance().watch)
        return 0;
    const Stamp stamp = Order::instance().begin_work(turn.stream, turn.sequence, name, turn.known, false);
    hot.block_first = stamp;
    return stamp;
}

static std::optional<Fault> copy_to_host(const CopyWork& copy) {
    const u64 end = copy.source + copy.bytes, hole = AddressSpace::instance().first_unwritten(copy.source, end);
    if (hole < end)
        return work_fault(FaultKind::uninitialised_read, hole, "a copy to the host reads " + AddressSpace::instance().describe(hole, 1)
                                                                   + ", which nobody wrote, or not yet: is a synchronisation missing?");
    std::memcpy((void*)copy.destination, (const void*)copy.source, copy.bytes);
    return std::nullopt;
}

std::optional<Fault> CopyWork::execute(const Turn& turn) const {
    AddressSpace& space = AddressSpace::instance();
    const char* name = direction == Direction::to_device ? "a copy to the device" : direction == Direction::to_host ? "a copy to the host" : "a copy on the device";
    const Stamp stamp = begin(name, turn);
    std::optional<Fault> fault;
    if (direction != Direction::to_device)
        fault = touch_device_range(name, source, bytes, false, stamp);
    if (!fault && direction != Direction::to_host)
        fault = touch_device_range(name, destination, bytes, true, stamp);
    if (fault || bytes == 0)
        return fault;
    if (direction == Direction::to_host)
        return copy_to_host(*this);
    std::memmove((void*)destination, snapshot.empty() ? (const void*)source : snapshot.data(), bytes);
    if (direction == Direction::to_device)
        space.mark_written(destination, bytes, stamp);
    else
        space.copy_written(destination, source, bytes, stamp);
    return std::nullopt;
}

void CopyWork::guard() const {
    if (direction == Direction::to_host)
        HostGuard::instance().protect(destination, bytes, true);
    if (direction == Direction::to_device && snapshot.empty())
        HostGuard::instance().protect(source, bytes, false);
}

void CopyWork::unguard() const {
    if (direction == Direction::to_host)
        HostGuard::instance().release(destination, bytes);
    if (direction == Direction::to_device && snapshot.empty())
        HostGuard::instance().release(source, bytes);
}

std::optional<Fault> FillWork::execute(const Turn& turn) const {
    const u64 bytes = count * element_bytes;
    const Stamp stamp = begin("a fill", turn);
    if (auto fault = touch_device_range("a fill", destination, bytes, true, stamp))
        return fault;
    for (u64 i = 0; i < count; i++)
        std::memcpy((char*)destination + i * element_bytes, &value, element_bytes);
    AddressSpace::instance().mark_written(destination, bytes, stamp);
    return std::nullopt;
}

std::optional<Fault> HostWork::execute(const Turn&) const {
    function(data);
    return std::nullopt;
}

std::optional<Fault> GraphWork::execute(const Turn& turn) const {
    for (const WorkPointer& node : nodes)
        if (auto fault = node->execute(turn))
            return fault;
    return std::nullopt;
}

void GraphWork::guard() const {
    for (const WorkPointer& node : nodes)
        node->guard();
}

void GraphWork::unguard() const {
    for (const WorkPointer& node : nodes)
        node->unguard();
}

}
