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
    u32 first_reader = 0;
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

    // What the thread hands over now, and what it learns from others: mbarriers.
    Releases release(Thread& thread);
    void acquire(Thread& thread, const Releases& releases);

    // --- What the block's hardware does for no thread in particular: bulk copies, wgmma ---
    Stamp begin_async(u32 warp, u32 lane) { return begin_segment(warp) | lane; }
    Release release_of(Stamp stamp) const;
    void new_segment(Warp& warp, u32 lanes) { refresh_threads(warp, lanes); }
    void proxy_fence(Thread& thread);
    bool proxy_fenced(Stamp write) const;
    bool in_block(Stamp stamp) const { return (stamp & kStampMask) >= hot.block_first; }
    Stamp now() const { return next; }

    // --- Questions of the running thread ---
    bool before(Stamp stamp, bool several_lanes) const;
    bool readers_before(Stamp readers) const;
    Stamp merge_reader(Stamp readers, Stamp reader, u32 warp);

    // "thread (3,0,0) of block (1,0,0)", or the launch or copy that it was.
    std::string who(Stamp stamp) const;
    std::string who_read(Stamp readers) const;
    Stamp latest_reader(Stamp readers) const;
    bool same_launch(Stamp stamp) const { return (stamp & kStampMask) >= launch_first; }
    bool readers_in_block(Stamp readers) const;

    // Beyond the warps that a block can have.
    static constexpr u32 kCopyWarp = 32;
    static constexpr u32 kWarpgroup = 33;

    static constexpr u32 kStampMask = (1u << kStampBits) - 1;

private:
    struct Segment {
        u32 block;
        u32 warp;
    };

    // One of those that read a word since it was last written, and the others: a warp of a block, threads of many blocks, or a launch that may still be
    // running.
    struct Reader {
        u32 block;
        u32 warp;
        Stamp latest;
        Stamp others = 0;       // readers again; 0: none
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
    bool reader_before(const Reader& reader) const;
    bool is_reader(Stamp readers) const { return readers & kReaderSet && (readers & ~kReaderSet) >= first_reader; }
    const Reader& reader_of(Stamp readers) const { return reader_list[(readers & ~kReaderSet) - first_reader]; }
    Stamp of_earlier_work(Stamp readers) const;
    Stamp add_reader(const Reader& reader);
    Stamp without(Stamp readers, u32 of_block, u32 warp);
    void find_overlapped(u64 stream);
    void forget_readers();
    bool acquired_covers(u32 block, u32 warp, u32 lane, Stamp stamp) const;
    static void add(std::shared_ptr<Releases>& list, const Releases& more);
    void refresh_threads(Warp& warp, u32 lanes);

    std::vector<Segment> segments;      // of the running launch
    std::vector<Reader> reader_list;    // of the running launch, and of those that may still be running
    u32 first_reader = 0;
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
