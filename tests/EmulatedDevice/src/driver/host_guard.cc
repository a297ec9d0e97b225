#include "driver/host_guard.h"
#include <algorithm>
#include <sys/mman.h>
#include "faults/fault.h"
#include "watch/address_space.h"

namespace emulation {

constexpr u64 kPageBytes = 4096;

HostGuard& HostGuard::instance() {
    static HostGuard* guard = new HostGuard();
    return *guard;
}

// Only pages on which the allocation has no byte outside of the range: its neighbours may be in use rightly.
bool HostGuard::whole_page(const Range& range, u64 page) const {
    const Page& entry = hot.pages[(page - hot.device.base) / kPageBytes];
    const u64 end = std::min(entry.end, page + kPageBytes);
    return range.address <= page && range.address + range.bytes >= end;
}

void HostGuard::apply(u64 first_page, u64 last_page) {
    for (u64 page = first_page; page <= last_page; page += kPageBytes) {
        int protection = PROT_READ | PROT_WRITE;
        for (const Range& range : ranges)
            if (whole_page(range, page))
                protection &= range.against_reads ? PROT_NONE : PROT_READ;
        mprotect((void*)page, kPageBytes, protection);
    }
}

void HostGuard::protect(u64 address, u64 bytes, bool against_reads) {
    if (bytes == 0 || !AddressSpace::instance().accessible(address, bytes))
        return;
    ranges.push_back({address, bytes, against_reads});
    apply(address / kPageBytes * kPageBytes, (address + bytes - 1) / kPageBytes * kPageBytes);
}

void HostGuard::release(u64 address, u64 bytes) {
    const auto found = std::find_if(ranges.begin(), ranges.end(), [&](const Range& range) { return range.address == address && range.bytes == bytes; });
    if (found == ranges.end())
        return;
    ranges.erase(found);
    apply(address / kPageBytes * kPageBytes, (address + bytes - 1) / kPageBytes * kPageBytes);
}

bool HostGuard::caught(u64 address) {
    for (const Range& range : ranges) {
        const u64 page = address / kPageBytes * kPageBytes;
        if (address < range.address || address >= (range.address + range.bytes + kPageBytes - 1) / kPageBytes * kPageBytes)
            continue;
        if (catch_count < sizeof catches / sizeof catches[0]) {
            catches[catch_count] = {address, range};
            catch_count = catch_count + 1;
        }
        mprotect((void*)page, kPageBytes, PROT_READ | PROT_WRITE);
        return true;
    }
    return false;
}

void HostGuard::report() {
    for (u32 i = 0; i < catch_count; i++)
        host_fault(FaultKind::host_access_before_synchronise, CUDA_SUCCESS, catches[i].address,
                   "the host %s %s, while a copy of %llu bytes that %s it is still waiting: synchronise its stream first",
                   catches[i].range.against_reads ? "touches" : "writes", AddressSpace::instance().describe(catches[i].address, 1).c_str(),
                   (unsigned long long)catches[i].range.bytes, catches[i].range.against_reads ? "fills" : "reads");
    catch_count = 0;
}

}
