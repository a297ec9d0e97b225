// wgmma: multiplications of a warpgroup, executed only when one of its warps waits for them, on the bytes that are in shared memory then. Until then
// accumulators hold no numbers, and nobody may write what is still to be read.
#pragma once
#include <deque>
#include <vector>
#include "execution/thread.h"
#include "hopper/matrix_descriptor.h"

namespace emulation {

constexpr u32 kWarpgroupWarps = 4;
constexpr u32 kWarpgroupThreads = kWarpgroupWarps * kWarpLanes;
constexpr u32 kWgmmaRows = 64;
constexpr u32 kWgmmaDepth = 16;

// What each thread gives.
struct WgmmaOperands {
    u32 n;
    bool is_bf16;
    bool accumulates;           // scale-d
    bool a_transposed, b_transposed;
    u64 a, b;                   // descriptors
    const u32* a_place;         // of the registers; null: A is in shared memory
    u32 a_registers[4];
    float* d;                   // [n / 2]
    emulated_site site;
};

class Wgmma {
public:
    static Wgmma& instance();

    void begin_block(u32 warps);
    void fence(Warp& warp) { state_of(warp).fenced = true; }
    void issue(Warp& warp);
    void commit(Warp& warp);
    void wait(Warp& warp, u32 pending, emulated_site site);

    // Of a bulk copy: ends the block where an operation that was not waited for reads there.
    void check_overwrite(u32 shared_address, emulated_site site) const;

    // Of the running thread: what stands there of an operation that is under way and may not be touched; null: nothing.
    const char* holds_register(u64 address, u32 bytes, bool writes);

private:
    // An accumulator from its first operation to the wait for its last one.
    struct Chain {
        u32 n;
        std::vector<float> sums;                    // [64, n]
        float* d[kWarpgroupThreads] = {};           // null: not given yet, or given back
        u64 last[kWarpgroupWarps] = {};             // operation of each warp
    };

    struct Operation {
        WgmmaOperands operands;                     // of the first thread
        u32 a_registers[kWarpgroupThreads][4];
        const u32* a_places[kWarpgroupThreads];
        size_t chain;
        u32 issued_warps = 0;
        bool executed = false;
        Stamp issued = 0;
        Stamp reader = 0;
        std::vector<u32> runs;                      // of A, then of B: shared addresses
    };

    struct WarpState {
        bool fenced = false;
        u64 issued = 0;                             // operations
        u64 waited = 0;
        std::vector<u64> group_ends;
        float* last_d = nullptr;                    // of its first lane
        std::vector<float> last_sums;
    };

    struct Warpgroup {
        std::deque<Operation> operations;
        u64 first = 0;                              // number of the front one
        std::vector<Chain> chains;
        WarpState warps[kWarpgroupWarps];
    };

    Warpgroup& group_of(const Warp& warp) { return groups[warp.index / kWarpgroupWarps]; }
    WarpState& state_of(const Warp& warp) { return group_of(warp).warps[warp.index % kWarpgroupWarps]; }
    void begin_operation(Warpgroup& group, const WgmmaOperands& operands, u32 warp);
    size_t chain_of(Warpgroup& group, const WgmmaOperands& operands, u32 warp);
    void join_chain(Warp& warp, WarpState& state, Chain& chain, u64 number);
    void execute(Warpgroup& group, Operation& operation, u32 index);
    void give_back(Warp& warp, Warpgroup& group, u64 end);
    static std::string describe(const Thread& thread);

    std::vector<Warpgroup> groups;
    std::vector<u8> readers;        // by 16 bytes of shared addresses: operations that will read there
};

}
