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
        if (segment.warp < warp.seen_warps.size() && stamp < warp.seen_warps[segment.warp])
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
    for (; is_reader(readers); readers = reader_of(readers).others)
        if (!reader_before(reader_of(readers)))
            return false;
    return readers == 0 || readers & kReaderSet || before(readers & kStampMask, readers & kSeveralLanes);
}

bool Order::reader_before(const Reader& reader) const {
    const Thread* thread = hot.current;
    if (reader.latest < hot.floor)
        return true;
    if (reader.latest < launch_first || thread == nullptr)
        return before_in_earlier_work(reader.latest);
    // Which blocks read is not known here: a thread that has synchronised with some is given the benefit of the doubt.
    if (reader.block == kManyBlocks)
        return thread->acquired != nullptr && !thread->acquired->empty();
    if (reader.block == block && reader.latest < hot.block_ordered)
        return true;
    const Warp& warp = *thread->warp;
    if (reader.block == block && reader.latest < (reader.warp == warp.index ? warp.ordered : reader.warp < warp.seen_warps.size() ? warp.seen_warps[reader.warp] : 0))
        return true;
    return acquired_covers(reader.block, reader.warp, kWarpLanes, reader.latest);
}

Stamp Order::add_reader(const Reader& reader) {
    reader_list.push_back(reader);
    return kReaderSet | (first_reader + (u32)reader_list.size() - 1);
}

// The list without a warp's entry.
Stamp Order::without(Stamp readers, u32 of_block, u32 warp) {
    if (!is_reader(readers))
        return readers;
    const Reader reader = reader_of(readers);
    if (reader.block == of_block && reader.warp == warp && reader.latest >= launch_first)
        return reader.others;
    const Stamp others = without(reader.others, of_block, warp);
    return others == reader.others ? readers : add_reader({reader.block, reader.warp, reader.latest, others});
}

Stamp Order::merge_reader(Stamp readers, Stamp reader, u32 warp) {
    if (!(readers & kReaderSet)) {
        const Stamp single = readers & kStampMask;
        if (single >> 5 == reader >> 5)
            return single | kSeveralLanes;
    } else if (!is_reader(readers)) {
        return reader;
    }
    const Stamp latest = reader | 31;
    Merge& memo = merges[(readers * 2654435761u ^ latest * 40503u) >> 8 & 1023];
    if (memo.from == readers && memo.reader == latest && memo.to != 0)
        return memo.to;

    const Stamp from = readers;
    if (!(readers & kReaderSet)) {
        const Stamp single = readers & kStampMask;
        readers = single < launch_first ? add_reader({kManyBlocks, 0, single | 31}) : add_reader({segment_of(single).block, segment_of(single).warp, single | 31});
    }
    const Reader newest = reader_of(readers);
    Stamp merged = 0;
    for (Stamp known = readers; is_reader(known) && reader_of(known).latest >= launch_first; known = reader_of(known).others)
        if (reader_of(known).block == block && reader_of(known).warp == warp && reader_of(known).latest >= latest)
            merged = readers;
    const bool other_blocks = newest.latest >= launch_first && newest.block != block;
    if (merged == 0 && other_blocks)
        merged = newest.block == kManyBlocks && newest.latest >= latest ? readers : add_reader({kManyBlocks, 0, latest, of_earlier_work(readers)});
    else if (merged == 0)
        merged = add_reader({block, warp, latest, without(readers, block, warp)});
    memo = {from, latest, merged};
    return merged;
}

Stamp Order::of_earlier_work(Stamp readers) const {
    while (is_reader(readers) && reader_of(readers).latest >= launch_first)
        readers = reader_of(readers).others;
    return readers;
}

bool Order::readers_in_block(Stamp readers) const {
    if (!(readers & kReaderSet))
        return (readers & kStampMask) >= hot.block_first;
    return is_reader(readers) && reader_of(readers).block == block;
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
    if (segment.warp == kCopyWarp)
        return "a bulk copy";
    if (segment.warp >= kWarpgroup)
        return text("a wgmma of warpgroup %u", segment.warp - kWarpgroup);
    const u32 linear = segment.warp * kWarpLanes + (stamp & 31);
    return segment.block == block ? text("thread %u of this block", linear) : text("thread %u of another block", linear);
}

// Of those that are not in order before what the thread does now.
Stamp Order::latest_reader(Stamp readers) const {
    while (is_reader(readers) && reader_of(readers).others != 0 && reader_before(reader_of(readers)))
        readers = reader_of(readers).others;
    return is_reader(readers) ? reader_of(readers).latest : readers & kStampMask;
}

std::string Order::who_read(Stamp readers) const {
    while (is_reader(readers) && reader_of(readers).others != 0 && reader_before(reader_of(readers)))
        readers = reader_of(readers).others;
    if (!is_reader(readers))
        return who(readers);
    const Reader& reader = reader_of(readers);
    if (reader.latest < launch_first || reader.warp >= kCopyWarp)
        return who(reader.latest);
    return reader.block == kManyBlocks ? "threads of several blocks"
        : reader.block == block        ? text("threads of warp %u of this block", reader.warp)
                                       : "a warp of another block";
}

}
