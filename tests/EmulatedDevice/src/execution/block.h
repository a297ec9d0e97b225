// One block: its threads as fibers, their schedule, barriers, and the faults that end it.
#pragma once
#include <optional>
#include <string>
#include <vector>
#include "execution/thread.h"
#include "faults/fault.h"

namespace emulation {

class Module;

// A warp-wide instruction: the last lane to arrive computes for all.
struct Instruction {
    const char* name;
    bool aligned;                       // all lanes must be at the same place of the source
    FaultKind divergence;
    void (*compute)(Warp& warp, u32 members);
};

// Aligned as a tensor map among the arguments must be.
class ArgumentBytes {
public:
    void resize(size_t bytes)
    {
        chunks.resize((bytes + sizeof(Chunk) - 1) / sizeof(Chunk));
        length = bytes;
    }
    size_t size() const { return length; }
    u8* data() { return (u8*)chunks.data(); }
    const u8* data() const { return (const u8*)chunks.data(); }

private:
    struct alignas(64) Chunk {
        u8 bytes[64];
    };

    std::vector<Chunk> chunks;
    size_t length = 0;
};

struct Launch {
    std::string name;
    const emulated_kernel* kernel = nullptr;
    const Module* module = nullptr;
    Dim3 grid, block;
    u32 dynamic_shared_bytes = 0;
    bool overlaps_previous = false;     // programmatic dependent launch
    ArgumentBytes arguments;
};

class Block {
public:
    static Block& instance();

    // Runs one block of the launch to its end. The fault that ended it, or nothing.
    std::optional<Fault> run(const Launch& launch, u64 index, u64 random);

    // --- Called by running threads ---
    void exchange(const Instruction& instruction, u32 members, u32 qualifier, emulated_site site);
    void arrive_at_barrier(Warp& warp);
    u32 barrier_votes() const { return finished_votes; }
    void give_way();
    void sleep(Sleep sleep, u64 on, emulated_site site, std::string (*describe)(const Thread& thread));
    void wake(Sleep sleep, u64 on);
    bool someone_sleeps(Sleep sleep, u64 on) const;
    void spin(emulated_site site);
    void run_thread();
    void wait_for_grid();
    void launch_dependents();
    [[noreturn]] void stop(FaultKind kind, u64 address, std::string message, const void* pc, emulated_site site);

    Thread& thread_at(u32 linear) { return threads[linear]; }
    Warp& warp_of(u32 index) { return warps[index]; }
    u32 warp_count() const { return (u32)warps.size(); }
    const Launch& launch() const { return *running; }
    u64 random();

    // --- Shared memory ---
    u8* dynamic_shared() const { return shared_arena + dynamic_offset; }
    u32 dynamic_address() const { return dynamic_at; }
    bool in_shared_window(u64 address) const { return address - (u64)shared_arena < kSharedArenaBytes; }
    std::string describe_shared(u64 address, u32 bytes) const;
    bool copy_under_way(u64 address, u32 bytes) const;
    bool in_stack_guard(u64 address) const;

    // Parameters of the kernel, which an index may choose from.
    bool in_arguments(u64 address, u32 bytes) const {
        const u64 offset = address - (u64)running->arguments.data();
        return offset <= running->arguments.size() && bytes <= running->arguments.size() - offset;
    }

    static constexpr u32 kSharedArenaBytes = 256 * 1024;
    static constexpr u32 kSharedAlignment = 1024;       // the most that a tile's swizzle or a bulk copy asks for
    static constexpr u32 kFirstSharedAddress = 1024;    // what is below is the system's

private:
    struct Barrier {
        u32 expected_warps = 0;
        u32 arrived_warps = 0;      // bits
        u32 votes = 0;
        bool whole_block = false;
        emulated_site site = nullptr;
        std::vector<Participant> participants;
    };

    Block();
    void prepare(const Launch& launch, u64 index);
    void prepare_shared_memory(const Launch& launch);
    void forget_shared_history();
    void prepare_stack(Thread& thread);
    void shuffle_lanes();
    void make_ready(Warp& warp, u32 lanes);
    Thread* pick(bool leave_warp);
    void suspend(bool leave_warp);
    void check_members(const Instruction& instruction, u32 members);
    void check_agreement(Warp& warp, u32 members);
    void complete_barrier(u32 id, Barrier& barrier);
    void describe_deadlock();
    Fault named(Fault fault, const Thread* thread) const;
    bool describe_sleepers();

    std::vector<Thread> threads;
    std::vector<Warp> warps;
    Barrier barriers[16];
    const Launch* running = nullptr;
    void* host_stack = nullptr;
    std::optional<Fault> fault;
    u8* shared_arena = nullptr;
    u32 dynamic_offset = 0;         // in the arena
    u32 dynamic_at = 0;             // as instructions see it
    bool grid_waited = false;       // some thread has
    bool triggered = false;         // griddepcontrol.launch_dependents, by any thread
    bool triggered_early = false;   // by one that had not waited
    u8* stacks = nullptr;
    u32 ready_warps = 0;            // by position
    u8 warp_at[32] = {};
    u8 position_of_warp[32] = {};
    u32 living = 0;
    u32 finished_votes = 0;
    u64 random_state = 1;
    u32 consecutive_spins = 0;
};

}
