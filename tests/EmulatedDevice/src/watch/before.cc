// Whether something happened before what the running thread does now.
#include <algorithm>
#include "faults/fault.h"
#include "watch/order.h"

namespace emulation {

bool Order::before_in_earlier_work(Stamp stamp) const {
    const auto after = std::upper_bound(history.begin(), history.end(), stamp, [](Stamp at, const WorkSpan& span) { return at < span.first; });
    if (after == history.begin())
        return true;
    const Stamp first = (after - 1)->first;
    for (const Overlapped& work : overlapped)
        if (work.first == first && hot.current != nullptr && (work.after_wait || !hot.current->grid_waited))
            return false;
    return std::none_of(unordered.begin(), unordered.end(), [&](const WorkSpan& span) { return span.first == first; });
}

bool Order::acquired_covers(u32 of_block, u32 warp, u32 lane, Stamp stamp) const {
    const Releases* acquired = hot.current->acquired.get();
    if (acquired == nullptr)
        return false;
    for (const Release& release : *acquired) {
        if (release.block != of_block)
            continue;
        const bool same_warp = release.warp == warp;
        if (stamp < release.block_ordered || (same_warp && stamp < release.warp_ordered)
            || (same_warp && (release.stamp & 31) == lane && stamp <= release.stamp))
            return true;
    }
    return false;
}

bool Order::before(Stamp stamp, bool several_lanes) const {
    if (stamp < hot.floor)
        return true;
    if (stamp < launch_first || hot.current == nullptr)
        return before_in_earlier_work(stamp);
    const Segment& segment = segment_of(stamp);
    const Thread& thread = *hot.current;
    const Warp& warp = *thread.warp;
    const u32 lane = stamp & 31;
    if (segment.block != block)
        return acquired_covers(segment.block, segment.warp, several_lanes ? kWarpLanes : lane, stamp);
    if (stamp < hot.block_ordered)
        return true;
    if (segment.warp != warp.index) {
        if (!warp.seen_warps.empty() && stamp < warp.seen_warps[segment.warp])
            return true;
    } else {
        if (stamp < warp.ordered || (!several_lanes && lane == thread.lane))
            return true;
        // Which lanes read is not known here: a partial synchronisation is given the benefit of the doubt.
        if (!warp.seen_lanes.empty() && (several_lanes || stamp < warp.seen_lanes[thread.lane * kWarpLanes + lane]))
            return true;
    }
    return acquired_covers(segment.block, segment.warp, several_lanes ? kWarpLanes : lane, stamp);
}

bool Order::readers_before(Stamp readers) const {
    if (!(readers & kReaderSet))
        return before(readers & kStampMask, readers & kSeveralLanes);
    const u32 index = readers & ~kReaderSet;
    if (index < first_set)
        return true;
    const ReaderSet& set = sets[index - first_set];
    return set_before(set) && (set.older == 0 || readers_before(set.older));
}

bool Order::set_before(const ReaderSet& set) const {
    const Thread* thread = hot.current;
    if (set.latest < hot.floor)
        return true;
    if (set.latest < launch_first || thread == nullptr)
        return before_in_earlier_work(set.latest);
    // Which blocks read is not known here: a thread that has synchronised with some is given the benefit of the doubt.
    if (set.block == kManyBlocks)
        return thread->acquired != nullptr && !thread->acquired->empty();
    if (set.block != block)
        return acquired_covers(set.block, kWarpLanes, kWarpLanes, set.latest);
    if (set.latest < hot.block_ordered)
        return true;
    const Warp& warp = *thread->warp;
    for (u32 other = 0; other < 32; other++)
        if (set.warps >> other & 1) {
            const Stamp seen = other == warp.index ? warp.ordered : warp.seen_warps.empty() ? 0 : warp.seen_warps[other];
            if (set.latest >= seen)
                return false;
        }
    return true;
}

Stamp Order::merge_reader(Stamp readers, Stamp reader) {
    bool of_earlier_work = false;
    if (!(readers & kReaderSet)) {
        const Stamp single = readers & kStampMask;
        if (single >> 5 == reader >> 5)
            return single | kSeveralLanes;
        of_earlier_work = single < launch_first;
    } else if ((readers & ~kReaderSet) < first_set) {
        return reader;
    } else {
        of_earlier_work = sets[(readers & ~kReaderSet) - first_set].latest < launch_first;
    }
    const Stamp latest = reader | 31;
    Merge& memo = merges[(readers * 2654435761u ^ latest * 40503u) >> 8 & 1023];
    if (memo.from == readers && memo.reader == latest && memo.to != 0)
        return memo.to;

    const u32 warp_bit = 1u << hot.current->warp->index;
    ReaderSet set;
    if (of_earlier_work) {
        set = {block, warp_bit, latest, readers};
    } else if (readers & kReaderSet) {
        set = sets[(readers & ~kReaderSet) - first_set];
    } else {
        const Segment& first = segment_of(readers & kStampMask);
        set = {first.block, 1u << first.warp, (readers & kStampMask) | 31};
    }
    if (!of_earlier_work && set.block == block && set.warps & warp_bit && set.latest >= latest)
        return readers;
    if (!of_earlier_work && set.block == kManyBlocks && set.latest >= latest)
        return readers;
    if (set.block != block)
        set.block = kManyBlocks;
    set.warps |= warp_bit;
    set.latest = std::max(set.latest, latest);
    sets.push_back(set);
    memo = {readers, latest, kReaderSet | (first_set + (u32)sets.size() - 1)};
    return memo.to;
}

bool Order::readers_in_block(Stamp readers) const {
    if (!(readers & kReaderSet))
        return (readers & kStampMask) >= hot.block_first;
    const u32 index = readers & ~kReaderSet;
    return index >= first_set && sets[index - first_set].block == block;
}

std::string Order::who(Stamp stamp) const {
    stamp &= kStampMask;
    if (stamp < launch_first) {
        const auto after = std::upper_bound(history.begin(), history.end(), stamp, [](Stamp at, const WorkSpan& span) { return at < span.first; });
        return after == history.begin() ? "earlier work" : (after - 1)->name;
    }
    const Segment& segment = segment_of(stamp);
    if (segment.block == 0xFFFFFFFF)
        return "this copy";
    const u32 linear = segment.warp * kWarpLanes + (stamp & 31);
    return segment.block == block ? text("thread %u of this block", linear) : text("thread %u of another block", linear);
}

// Of those that are not in order before what the thread does now.
Stamp Order::latest_reader(Stamp readers) const {
    if (!(readers & kReaderSet))
        return readers & kStampMask;
    const ReaderSet& set = sets[(readers & ~kReaderSet) - first_set];
    return set.older != 0 && set_before(set) ? latest_reader(set.older) : set.latest;
}

std::string Order::who_read(Stamp readers) const {
    if (!(readers & kReaderSet))
        return who(readers);
    const ReaderSet& set = sets[(readers & ~kReaderSet) - first_set];
    if (set.older != 0 && set_before(set))
        return who_read(set.older);
    if (set.latest < launch_first)
        return who(set.latest);
    return set.block == kManyBlocks ? "threads of several blocks" : set.block == block ? "threads of several warps of this block" : "several warps of another block";
}

}
