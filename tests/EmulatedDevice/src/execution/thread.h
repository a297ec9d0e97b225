// A thread of the emulated device: a stackful fiber, and what the watcher has to know of it.
#pragma once
#include <memory>
#include <string>
#include <vector>
#include "emulated/seam.h"
#include "watch/hot.h"

namespace emulation {

// What a thread has seen of others through atomics, apart from barriers: see Order.
struct Release {
    u32 block;
    u32 warp;
    Stamp stamp;            // the releasing thread's own
    Stamp warp_ordered;
    Stamp block_ordered;
};

using Releases = std::vector<Release>;

// One warp's part in a barrier.
struct Participant {
    u32 warp;
    bool waits;
    Stamp boundary;                     // what the warp did before this is behind the barrier
    std::vector<Stamp> seen_warps;
    std::shared_ptr<Releases> acquired;
};

struct AsyncCopy {
    u64 destination;
    u32 bytes;
    u32 group;
    alignas(16) u8 data[16];
};

enum class ThreadState : u8 { runnable, at_warp, at_barrier, asleep, exited };

// What a sleeping thread waits for; where all sleep, the last of these is likeliest to be the cause.
enum class Sleep : u8 { mbarrier, warpgroup, registers };

struct Warp;
struct Instruction;

// What a thread waits for.
struct Arrival {
    const Instruction* instruction = nullptr;
    u32 members = 0;
    u32 qualifier = 0;
    emulated_site site = nullptr;
};

struct alignas(64) Thread {
    void* stack_pointer = nullptr;
    Stamp stamp = 0;
    u32 indices[12] = {};
    u32 linear = 0;
    u32 lane = 0;
    Warp* warp = nullptr;
    ThreadState state = ThreadState::runnable;
    bool grid_waited = false;           // griddepcontrol.wait, its own or that of a thread it met at a barrier since
    Arrival arrival;
    u32 slot[16] = {};                  // operands of a warp instruction, then its results
    u32 barrier_id = 0;
    u32 barrier_threads = 0;
    bool barrier_waits = false;

    Sleep sleep = Sleep::mbarrier;
    u64 sleep_on = 0;
    std::string (*describe_sleep)(const Thread& thread) = nullptr;

    const void* operands = nullptr;     // of an instruction with more of them than slots
    Stamp proxy_fenced = 0;             // what it wrote before this is seen by bulk copies and wgmma

    u32 bulk_group = 0;                 // that is open

    std::vector<AsyncCopy> copies;
    u32 open_group = 0;
    u32 finished_groups = 0;

    std::shared_ptr<Releases> acquired;     // in order before what the thread does now
    std::shared_ptr<Releases> observed;     // by relaxed atomics: acquired at the next fence
    Release fenced{};                       // what a relaxed atomic of this thread hands over
    bool has_fence = false;
};

struct Warp {
    Thread* threads = nullptr;      // of lane 0
    u32 index = 0;
    u32 lanes = 0;                  // the lanes there are
    u32 exited = 0;
    u32 arrived = 0;
    u32 runnable = 0;               // by position in the schedule, not by lane
    u8 lane_at[kWarpLanes] = {};
    u8 position_of[kWarpLanes] = {};

    Stamp ordered = 0;              // what the warp did before this is behind its last full __syncwarp
    std::vector<Stamp> seen_warps;  // by named barriers; empty: none yet
    std::vector<Stamp> seen_lanes;  // [32][32] by partial __syncwarps; empty: none yet
};

}
