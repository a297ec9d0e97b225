// Pinned memory that a waiting copy still reads or will write: pages of it are protected, so that a host that comes too early is caught in the act.
#pragma once
#include <vector>
#include "numbers.h"

namespace emulation {

class HostGuard {
public:
    static HostGuard& instance();

    // against_reads: the copy will write here; else the host may read but not write.
    void protect(u64 address, u64 bytes, bool against_reads);

    // The copy is done.
    void release(u64 address, u64 bytes);

    // Called by the signal handler: whether the address was guarded. Notes the fault and opens the page, so that the access can go on.
    bool caught(u64 address);

    // What the handler noted, as faults.
    void report();

private:
    struct Range {
        u64 address;
        u64 bytes;
        bool against_reads;
    };

    struct Catch {
        u64 address;
        Range range;
    };

    void apply(u64 first_page, u64 last_page);
    bool whole_page(const Range& range, u64 page) const;

    std::vector<Range> ranges;
    Catch catches[64];
    volatile u32 catch_count = 0;
};

// Installs the handler of SIGSEGV, once; what is not ours goes to the handler that was there.
void install_signal_handler();

}
