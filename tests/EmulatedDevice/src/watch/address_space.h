// Device and pinned memory: one reserved stretch of addresses, never used twice, with its shadow.
#pragma once
#include <string>
#include <vector>
#include "watch/hot.h"

namespace emulation {

enum class MemoryKind { device, pinned };

struct Allocation {
    u32 id;
    u64 base;
    u64 bytes;
    MemoryKind kind;
    bool freed = false;
    bool trusted = false;       // unwatched code may have written here: every byte counts as written
    u64 reserved = 0;           // addresses of a reservation, whose first bytes have memory; 0: an ordinary allocation
};

class AddressSpace {
public:
    static AddressSpace& instance();

    // Poisoned with bytes of 0xFF (a NaN of every type); guarded on both sides. 0: out of addresses.
    u64 allocate(u64 bytes, MemoryKind kind);

    void release(Allocation& allocation);

    // Addresses without memory. 0: out of addresses.
    u64 reserve_addresses(u64 bytes);

    // Memory behind the next addresses of a reservation: its `bytes` grow.
    void extend(Allocation& reservation, u64 bytes);

    // Takes the memory behind [address, address + bytes) of a reservation away.
    void retract(Allocation& reservation, u64 address, u64 bytes);

    // The reservation that holds the address, living; null: none does.
    Allocation* reservation_of(u64 address);

    // Bytes that are taken without being behind an address, or no longer.
    void count(int64_t bytes) { in_use += (u64)bytes; }

    // The living allocation that begins at the address; null: none does.
    Allocation* starting_at(u64 address);

    // The allocation, living or freed, whose pages hold the address, or that is nearest below it; null: it is not device memory.
    const Allocation* nearest(u64 address) const;

    bool contains(u64 address) const { return address - hot.device.base < hot.device.bytes; }

    // Whether [address, address + bytes) lies within one living allocation; else the fault's message says what is there.
    bool accessible(u64 address, u64 bytes) const;

    Allocation& by_id(u32 id) { return allocations[id]; }

    // Every byte of every allocation counts as written: after code that was not watched.
    void trust_all();

    void mark_written(u64 address, u64 bytes, Stamp stamp);

    // First byte that nobody wrote, or end.
    u64 first_unwritten(u64 address, u64 end) const;

    void copy_written(u64 destination, u64 source, u64 bytes, Stamp stamp);

    // Forgets who wrote and read what; what is initialised stays so.
    void forget_stamps();

    // "word 12 of allocation 3 (4096 bytes, device)": for messages.
    std::string describe(u64 address, u32 bytes) const;

    u64 device_bytes_in_use() const { return in_use; }

private:
    AddressSpace();
    void poison(u64 base, u64 bytes);
    void forget(u64 address, u64 mapped);

    std::vector<Allocation> allocations;
    u64 next;
    u64 in_use = 0;
    int poison_file;
};

}
