// cp.async.bulk: copies behind the thread's back, of boxes of a tensor or of plain bytes. Loads are delivered when nobody can go on without them; what a
// store reads is read at its wait, and what it writes is there when all of it was waited for, or when the block ends.
#pragma once
#include <optional>
#include <vector>
#include "execution/thread.h"
#include "faults/fault.h"
#include "hopper/tensor_map.h"

namespace emulation {

class BulkCopies {
public:
    static BulkCopies& instance();

    void begin_block();
    std::optional<Fault> finish_block();

    // --- Of the running thread ---
    void load(u32 mbarrier, std::vector<BoxChunk> chunks, u32 bytes, emulated_site site);
    void store(std::vector<BoxChunk> chunks, emulated_site site);
    void commit() { hot.current->bulk_group++; }
    void wait(u32 pending, bool only_read);
    void check_exit(const Thread& thread);

    // One of the loads that a sleeping thread waits for; false: there is none.
    bool deliver_one();

private:
    struct Load {
        const Thread* issuer;
        emulated_site site;
        u32 mbarrier;
        u32 bytes;
        std::vector<BoxChunk> chunks;
    };

    struct Store {
        const Thread* issuer;
        emulated_site site;
        u32 group;
        Stamp issued;
        Stamp writer;
        bool was_read = false;
        std::vector<BoxChunk> chunks;
        std::vector<u8> data;
    };

    void deliver(const Load& load);
    static void read(Store& store);
    static void write(const Store& store);

    std::vector<Load> loads;
    std::vector<Store> stores;
};

}
