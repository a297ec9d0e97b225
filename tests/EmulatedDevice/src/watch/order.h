// What happened before what. Barriers and warp synchronisations are followed by stamps; atomics between fences by lists of releases.
#pragma once
#include <string>
#include <unordered_map>
#include <vector>
#include "execution/thread.h"

namespace emulation {

// A launch, a copy or a fill, when it was executed.
struct WorkSpan {
    Stamp first;
    u64 stream;
    u64 sequence;
    std::string name;
    bool overlaps = false;          // programmatic dependent launch: its predecessor may have been running
    bool waited = false;            // griddepcontrol.wait: it ends after its predecessor
    bool late_trigger = false;      // a block let dependents start, or ended, only after it had waited: they start after its predecessor's end
    u32 first_set = 0;
};

class Order {
public:
    static Order& instance();

    // --- Work of streams, in the order of execution ---
    // known: for each stream, the last sequence number that is in order before this work.
    Stamp begin_work(u64 stream, u64 sequence, std::string name, const std::unordered_map<u64, u64>& known, bool overlaps_previous);
    void end_work();
    void grid_waited(bool before_trigger);

    // --- Blocks of a launch ---
    void begin_block(std::vector<Warp>& warps);
    void block_barrier(std::vector<Warp>& warps);
    Participant arrive(Warp& warp, bool waits);
    void named_barrier(std::vector<Warp>& warps, const std::vector<Participant>& participants);
    void warp_barrier(Warp& warp, u32 members);

    // --- Fences and atomics ---
    void fence(Thread& thread);
    void publish(Thread& thread, u64 address, bool releases);
    void observe(Thread& thread, u64 address, bool acquires);
    void overwrite(u64 address);

    // --- Questions of the running thread ---
    bool before(Stamp stamp, bool several_lanes) const;
    bool readers_before(Stamp readers) const;
    Stamp merge_reader(Stamp readers, Stamp reader);

    // "thread (3,0,0) of block (1,0,0)", or the launch or copy that it was.
    std::string who(Stamp stamp) const;
    std::string who_read(Stamp readers) const;
    Stamp latest_reader(Stamp readers) const;
    bool same_launch(Stamp stamp) const { return (stamp & kStampMask) >= launch_first; }
    bool readers_in_block(Stamp readers) const;

    static constexpr u32 kStampMask = (1u << kStampBits) - 1;

private:
    struct Segment {
        u32 block;
        u32 warp;
    };

    // Warps of one block, or threads of many blocks, that read a word since it was last written; and those of earlier launches that may still be running.
    struct ReaderSet {
        u32 block;
        u32 warps;
        Stamp latest;
        Stamp older = 0;        // readers again; 0: none
    };

    // A launch that may still be running when this one begins.
    struct Overlapped {
        Stamp first;
        bool after_wait;        // even when griddepcontrol.wait has returned
    };

    struct Merge {
        Stamp from = 0, reader = 0, to = 0;
    };

    static constexpr u32 kManyBlocks = 0xFFFFFFFF;

    Stamp begin_segment(u32 warp);
    void restart_stamps();
    const Segment& segment_of(Stamp stamp) const { return segments[(stamp >> 5) - (launch_first >> 5)]; }
    bool before_in_earlier_work(Stamp stamp) const;
    bool set_before(const ReaderSet& set) const;
    void find_overlapped(u64 stream);
    void forget_sets();
    bool acquired_covers(u32 block, u32 warp, u32 lane, Stamp stamp) const;
    static void add(std::shared_ptr<Releases>& list, const Releases& more);
    void refresh_threads(Warp& warp, u32 lanes);

    std::vector<Segment> segments;      // of the running launch
    std::vector<ReaderSet> sets;        // of the running launch, and of those that may still be running
    u32 first_set = 0;
    std::vector<Merge> merges = std::vector<Merge>(1024);
    std::unordered_map<u64, Releases> locations;
    std::vector<WorkSpan> history;
    std::vector<WorkSpan> unordered;    // executed before the running work, but not known to it
    Stamp next = 32;
    Stamp launch_first = 32;
    std::vector<Overlapped> overlapped; // griddepcontrol.wait must come first; the newest first
    u32 block = 0;
};

}
