// mbarriers of the block: phases that end when all arrivals and all announced bytes are there.
#pragma once
#include <vector>
#include "execution/thread.h"

namespace emulation {

class Mbarriers {
public:
    static Mbarriers& instance();

    void begin_block() { barriers.clear(); }

    // --- Of the running thread ---
    void initialise(u32 address, u32 count, emulated_site site);
    void invalidate(u32 address, emulated_site site);
    void fence_initialisation();
    void arrive(u32 address, u32 count, u32 expected_bytes, emulated_site site);
    bool try_wait(u32 address, u32 parity, emulated_site site);

    // --- Of bulk copies: counted when they are given, done when they are delivered ---
    void announce(u32 address, u32 bytes, emulated_site site);
    void complete(u32 address, u32 bytes, const Release* release);
    u32 index_of(u32 address) const;

private:
    struct Barrier {
        u32 address = 0;
        u32 count = 0;
        u32 pending = 0;            // arrivals that are missing
        u64 phase = 0;              // that is not over
        u64 expected = 0;           // bytes of this phase
        u64 given = 0;              // of which so many belong to copies
        u64 delivered = 0;          // and so many have come
        u32 initialiser = 0;
        bool visible = false;       // to the asynchronous proxy
        emulated_site site = nullptr;
        Releases incoming{};          // of arrivals in this phase
        Releases completed{};         // of the phase before
        std::vector<u64> seen{};      // by thread: phases whose end it has seen
    };

    Barrier& find(u32 address, const char* what, emulated_site site);
    void finish_phase(Barrier& barrier);
    static std::string describe(const Thread& thread);

    std::vector<Barrier> barriers;
};

}
