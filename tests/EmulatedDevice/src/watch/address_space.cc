#include "watch/address_space.h"
#include <algorithm>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <unistd.h>
#include "faults/fault.h"

namespace emulation {

Hot hot;

constexpr u64 kReservedBytes = 1ull << 40;
constexpr u64 kPageBytes = 4096;
// Wide enough that an index that is off by a row still lands in no other allocation.
constexpr u64 kGuardBytes = 1ull << 20;
constexpr u64 kPoisonBytes = 16ull << 20;

static u64 rounded(u64 bytes, u64 unit) {
    return (bytes + unit - 1) / unit * unit;
}

static void* reserve(u64 bytes, int protection) {
    void* address = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (address == MAP_FAILED)
        throw std::bad_alloc();
    return address;
}

AddressSpace& AddressSpace::instance() {
    // Never destroyed: kernels and signal handlers may still look at it while the process ends.
    static AddressSpace* space = new AddressSpace();
    return *space;
}

AddressSpace::AddressSpace() {
    hot.device.base = (u64)reserve(kReservedBytes, PROT_NONE);
    hot.device.bytes = kReservedBytes;
    hot.device.cells = (Cell*)reserve(kReservedBytes / 4 * sizeof(Cell), PROT_READ | PROT_WRITE);
    hot.device.written = (u8*)reserve(kReservedBytes / 8 + kPageBytes, PROT_READ | PROT_WRITE);
    hot.pages = (Page*)reserve(kReservedBytes / kPageBytes * sizeof(Page), PROT_READ | PROT_WRITE);
    next = rounded(hot.device.base, kGuardBytes) + kGuardBytes;
    poison_file = memfd_create("poison", MFD_CLOEXEC);
    if (poison_file < 0 || ftruncate(poison_file, kPoisonBytes) != 0)
        throw std::bad_alloc();
    void* image = mmap(nullptr, kPoisonBytes, PROT_READ | PROT_WRITE, MAP_SHARED, poison_file, 0);
    if (image == MAP_FAILED)
        throw std::bad_alloc();
    std::memset(image, 0xFF, kPoisonBytes);
    munmap(image, kPoisonBytes);
    allocations.push_back({0, 0, 0, MemoryKind::device, true, false, 0});
}

// A private mapping of one file of 0xFF: a page costs memory only when it is written.
void AddressSpace::poison(u64 base, u64 bytes) {
    for (u64 done = 0; done < bytes; done += kPoisonBytes)
        if (mmap((void*)(base + done), std::min(kPoisonBytes, bytes - done), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE,
                 poison_file, 0) == MAP_FAILED)
            throw std::bad_alloc();
}

u64 AddressSpace::allocate(u64 bytes, MemoryKind kind) {
    const u64 mapped = rounded(bytes, kPageBytes);
    if (mapped + kGuardBytes > hot.device.base + hot.device.bytes - next)
        return 0;
    const u64 base = next;
    next = rounded(base + mapped + kGuardBytes, kPageBytes);
    poison(base, mapped);
    const u32 id = (u32)allocations.size();
    allocations.push_back({id, base, bytes, kind, false, kind == MemoryKind::pinned, 0});
    for (u64 page = (base - hot.device.base) / kPageBytes, last = page + mapped / kPageBytes; page < last; page++)
        hot.pages[page] = {base + bytes, 0, id};
    if (kind == MemoryKind::device)
        in_use += bytes;
    return base;
}

void AddressSpace::release(Allocation& allocation) {
    allocation.freed = true;
    if (allocation.kind == MemoryKind::device && allocation.reserved == 0)
        in_use -= allocation.bytes;
    forget(allocation.base, rounded(allocation.bytes, kPageBytes));
}

// No memory, shadow or stamps any more.
void AddressSpace::forget(u64 address, u64 mapped) {
    if (mapped == 0)
        return;
    const u64 offset = address - hot.device.base;
    for (u64 page = offset / kPageBytes, last = page + mapped / kPageBytes; page < last; page++)
        hot.pages[page].end = 0;
    mmap((void*)address, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    madvise((char*)hot.device.cells + offset / 4 * sizeof(Cell), mapped / 4 * sizeof(Cell), MADV_DONTNEED);
    const u64 first = rounded(offset / 8, kPageBytes), last = (offset + mapped) / 8 / kPageBytes * kPageBytes;
    if (last > first)
        madvise(hot.device.written + first, last - first, MADV_DONTNEED);
}

u64 AddressSpace::reserve_addresses(u64 bytes) {
    if (bytes + kGuardBytes > hot.device.base + hot.device.bytes - next)
        return 0;
    const u64 base = next;
    next = rounded(base + bytes + kGuardBytes, kPageBytes);
    const u32 id = (u32)allocations.size();
    allocations.push_back({id, base, 0, MemoryKind::device, false, false, bytes});
    for (u64 page = (base - hot.device.base) / kPageBytes, last = page + bytes / kPageBytes; page < last; page++)
        hot.pages[page] = {0, 0, id};
    return base;
}

void AddressSpace::extend(Allocation& reservation, u64 bytes) {
    poison(reservation.base + reservation.bytes, bytes);
    reservation.bytes += bytes;
    for (u64 page = (reservation.base - hot.device.base) / kPageBytes, last = page + reservation.bytes / kPageBytes; page < last; page++)
        hot.pages[page].end = reservation.base + reservation.bytes;
}

void AddressSpace::retract(Allocation& reservation, u64 address, u64 bytes) {
    const u64 offset = address - hot.device.base;
    for (u64 page = (reservation.base - hot.device.base) / kPageBytes, last = offset / kPageBytes; page < last; page++)
        hot.pages[page].end = std::min(hot.pages[page].end, address);
    forget(address, bytes);
}

Allocation* AddressSpace::reservation_of(u64 address) {
    if (!contains(address))
        return nullptr;
    Allocation& found = allocations[hot.pages[(address - hot.device.base) / kPageBytes].allocation];
    return found.reserved != 0 && !found.freed && address >= found.base && address - found.base < found.reserved ? &found : nullptr;
}

Allocation* AddressSpace::starting_at(u64 address) {
    if (!contains(address))
        return nullptr;
    Allocation& found = allocations[hot.pages[(address - hot.device.base) / kPageBytes].allocation];
    return found.base == address && !found.freed ? &found : nullptr;
}

const Allocation* AddressSpace::nearest(u64 address) const {
    if (!contains(address))
        return nullptr;
    const Allocation* best = nullptr;
    for (const Allocation& candidate : allocations)
        if (candidate.base != 0 && candidate.base <= address + kGuardBytes / 2 && (best == nullptr || candidate.base > best->base))
            best = &candidate;
    return best;
}

bool AddressSpace::accessible(u64 address, u64 bytes) const {
    if (!contains(address))
        return false;
    const Page& page = hot.pages[(address - hot.device.base) / kPageBytes];
    return address + bytes <= page.end && address + bytes >= address;
}

void AddressSpace::trust_all() {
    for (Allocation& allocation : allocations)
        allocation.trusted = true;
}

static void fill_bits(u8* bits, u64 offset, u64 count) {
    for (; count > 0 && offset % 8 != 0; offset++, count--)
        bits[offset / 8] |= (u8)(1u << offset % 8);
    std::memset(bits + offset / 8, 0xFF, count / 8);
    if (count % 8 != 0)
        bits[(offset + count) / 8] |= (u8)((1u << count % 8) - 1);
}

void AddressSpace::mark_written(u64 address, u64 bytes, Stamp stamp) {
    if (bytes == 0)
        return;
    u64 offset = address - hot.device.base;
    fill_bits(hot.device.written, offset, bytes);
    const u64 end = offset + bytes;
    while (offset < end) {
        const u64 page = offset / kPageBytes, page_end = std::min(end, (page + 1) * kPageBytes);
        if (offset % kPageBytes == 0 && (page_end - offset == kPageBytes || page_end + hot.device.base == hot.pages[page].end))
            hot.pages[page].stamp = stamp;
        else
            for (u64 word = offset / 4; word * 4 < page_end; word++)
                hot.device.cells[word] = {stamp, 0};
        offset = page_end;
    }
}

u64 AddressSpace::first_unwritten(u64 address, u64 end) const {
    if (allocations[hot.pages[(address - hot.device.base) / kPageBytes].allocation].trusted)
        return end;
    for (u64 offset = address - hot.device.base; offset + hot.device.base < end;) {
        if (offset % 8 == 0 && hot.device.written[offset / 8] == 0xFF)
            offset += 8;
        else if (hot.device.written[offset / 8] >> offset % 8 & 1)
            offset++;
        else
            return offset + hot.device.base;
    }
    return end;
}

void AddressSpace::copy_written(u64 destination, u64 source, u64 bytes, Stamp stamp) {
    mark_written(destination, bytes, stamp);
    for (u64 at = source, end = source + bytes; (at = first_unwritten(at, end)) < end; at++) {
        const u64 offset = destination + (at - source) - hot.device.base;
        hot.device.written[offset / 8] &= (u8)~(1u << offset % 8);
    }
}

void AddressSpace::forget_stamps() {
    for (const Allocation& allocation : allocations) {
        if (allocation.freed)
            continue;
        const u64 offset = allocation.base - hot.device.base, mapped = rounded(allocation.bytes, kPageBytes);
        madvise((char*)hot.device.cells + offset / 4 * sizeof(Cell), mapped / 4 * sizeof(Cell), MADV_DONTNEED);
        for (u64 page = offset / kPageBytes, last = page + mapped / kPageBytes; page < last; page++)
            hot.pages[page].stamp = 0;
    }
}

std::string AddressSpace::describe(u64 address, u32 bytes) const {
    const Allocation* near = nearest(address);
    if (near == nullptr)
        return text("address 0x%llx, which is no device memory", (unsigned long long)address);
    const char* kind = near->kind == MemoryKind::pinned ? "pinned" : "device";
    if (address < near->base)
        return text("address 0x%llx, %llu bytes before allocation %u (%llu bytes, %s)", (unsigned long long)address,
                    (unsigned long long)(near->base - address), near->id, (unsigned long long)near->bytes, kind);
    const u64 offset = address - near->base;
    if (offset + bytes <= near->bytes)
        return text("address 0x%llx, byte %llu of allocation %u (%llu bytes, %s%s)", (unsigned long long)address, (unsigned long long)offset,
                    near->id, (unsigned long long)near->bytes, kind, near->freed ? ", freed" : "");
    return text("address 0x%llx, byte %llu of allocation %u, which has only %llu bytes (%s%s)", (unsigned long long)address,
                (unsigned long long)offset, near->id, (unsigned long long)near->bytes, kind, near->freed ? ", freed" : "");
}

}
