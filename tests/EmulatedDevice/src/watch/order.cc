#include "watch/order.h"
#include <algorithm>
#include "execution/block.h"
#include "faults/fault.h"
#include "watch/address_space.h"

namespace emulation {

// A launch that begins below this may take as many stamps again.
constexpr Stamp kRestartAt = 1u << (kStampBits - 1);
constexpr Stamp kLastStamp = (1u << kStampBits) - (1u << 20);
constexpr size_t kHistory = 4096;

Order& Order::instance() {
    static Order* order = new Order();
    return *order;
}

void Order::restart_stamps() {
    AddressSpace::instance().forget_stamps();
    history.clear();
    unordered.clear();
    segments.clear();
    first_reader += (u32)reader_list.size();
    reader_list.clear();
    merges.assign(merges.size(), {});
    overlapped.clear();
    next = launch_first = hot.floor = 32;
}

Stamp Order::begin_work(u64 stream, u64 sequence, std::string name, const std::unordered_map<u64, u64>& known, bool overlaps_previous) {
    if (next > kRestartAt)
        restart_stamps();
    segments.clear();
    locations.clear();
    unordered.clear();
    overlapped.clear();
    launch_first = hot.floor = next;
    for (const WorkSpan& span : history) {
        const auto last = known.find(span.stream);
        if (span.stream != stream && (last == known.end() || last->second < span.sequence))
            unordered.push_back(span);
    }
    if (!unordered.empty())
        hot.floor = unordered.front().first;
    if (overlaps_previous)
        find_overlapped(stream);
    forget_readers();
    WorkSpan span{next, stream, sequence, std::move(name)};
    span.overlaps = overlaps_previous;
    span.first_reader = first_reader + (u32)reader_list.size();
    history.push_back(std::move(span));
    if (history.size() > kHistory)
        history.erase(history.begin(), history.begin() + kHistory / 2);
    segments.push_back({0xFFFFFFFF, 0});
    next += 32;
    return launch_first;
}

// The predecessor, and what may be running beside it. Its own wait orders this work after its predecessor only when this one has waited too; where it let
// dependents start only after its wait, its predecessor had ended before this work could begin.
void Order::find_overlapped(u64 stream) {
    bool after_wait = false;
    for (auto span = history.rbegin(); span != history.rend(); ++span) {
        if (span->stream != stream)
            continue;
        overlapped.push_back({span->first, after_wait});
        hot.floor = std::min(hot.floor, span->first);
        if (!span->overlaps || span->late_trigger)
            return;
        after_wait |= !span->waited;
    }
}

void Order::grid_waited(bool before_trigger) {
    history.back().waited = true;
    history.back().late_trigger |= before_trigger;
}

// Readers in works that were over before this one could begin are nobody's business any more.
void Order::forget_readers() {
    u32 from = first_reader + (u32)reader_list.size();
    for (const WorkSpan& span : history)
        if (span.first >= hot.floor) {
            from = span.first_reader;
            break;
        }
    from = std::max(from, first_reader);
    reader_list.erase(reader_list.begin(), reader_list.begin() + (from - first_reader));
    first_reader = from;
}

void Order::end_work() {
    hot.current = nullptr;
    hot.block_first = hot.block_ordered = next;
}

Stamp Order::begin_segment(u32 warp) {
    const Stamp first = next;
    segments.push_back({block, warp});
    next += 32;
    return first;
}

void Order::refresh_threads(Warp& warp, u32 lanes) {
    const Stamp first = begin_segment(warp.index);
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        if (lanes >> lane & 1)
            warp.threads[lane].stamp = first | lane;
}

void Order::begin_block(std::vector<Warp>& warps) {
    if (next > kLastStamp)
        restart_stamps();
    block++;
    hot.block_first = hot.block_ordered = next;
    for (Warp& warp : warps) {
        warp.ordered = next;
        warp.seen_warps.clear();
        warp.seen_lanes.clear();
        refresh_threads(warp, warp.lanes);
    }
}

void Order::add(std::shared_ptr<Releases>& list, const Releases& more) {
    auto merged = list == nullptr ? std::make_shared<Releases>() : std::make_shared<Releases>(*list);
    for (const Release& release : more) {
        const auto same = std::find_if(merged->begin(), merged->end(), [&](const Release& known) {
            return known.block == release.block && known.warp == release.warp && (known.stamp & 31) == (release.stamp & 31);
        });
        if (same == merged->end())
            merged->push_back(release);
        else if (same->stamp < release.stamp)
            *same = release;
    }
    list = std::move(merged);
}

// What any of the lanes has acquired, all have.
static void share(const std::vector<Thread*>& threads, void (*add)(std::shared_ptr<Releases>&, const Releases&)) {
    std::shared_ptr<Releases> all;
    bool differ = false;
    for (const Thread* thread : threads) {
        differ |= thread->acquired != threads.front()->acquired;
        if (thread->acquired != nullptr && thread->acquired != all)
            add(all, *thread->acquired);
    }
    if (differ)
        for (Thread* thread : threads)
            thread->acquired = all;
}

static bool any_acquired(const Warp& warp, u32 lanes) {
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        if (lanes >> lane & 1 && warp.threads[lane].acquired != nullptr)
            return true;
    return false;
}

static void collect(std::vector<Thread*>& threads, Warp& warp, u32 lanes) {
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        if (lanes >> lane & 1)
            threads.push_back(&warp.threads[lane]);
}

void Order::block_barrier(std::vector<Warp>& warps) {
    hot.block_ordered = next;
    bool acquired = false;
    for (Warp& warp : warps) {
        warp.ordered = next;
        warp.seen_warps.clear();
        warp.seen_lanes.clear();
        refresh_threads(warp, warp.lanes);
        acquired |= any_acquired(warp, warp.lanes);
    }
    if (!acquired)
        return;
    std::vector<Thread*> threads;
    for (Warp& warp : warps)
        collect(threads, warp, warp.lanes);
    share(threads, &add);
}

Participant Order::arrive(Warp& warp, bool waits) {
    Participant participant{warp.index, waits, next, warp.seen_warps, nullptr};
    if (any_acquired(warp, warp.lanes)) {
        std::vector<Thread*> threads;
        collect(threads, warp, warp.lanes);
        share(threads, &add);
        participant.acquired = threads.front()->acquired;
    }
    refresh_threads(warp, warp.lanes);
    return participant;
}

void Order::named_barrier(std::vector<Warp>& warps, const std::vector<Participant>& participants) {
    std::vector<Stamp> seen(warps.size(), 0);
    std::shared_ptr<Releases> acquired;
    for (const Participant& participant : participants) {
        for (size_t warp = 0; warp < participant.seen_warps.size(); warp++)
            seen[warp] = std::max(seen[warp], participant.seen_warps[warp]);
        if (participant.acquired != nullptr)
            add(acquired, *participant.acquired);
    }
    for (const Participant& participant : participants)
        seen[participant.warp] = std::max(seen[participant.warp], participant.boundary);
    for (const Participant& participant : participants) {
        if (!participant.waits)
            continue;
        Warp& warp = warps[participant.warp];
        warp.ordered = next;
        warp.seen_warps.resize(warps.size());
        for (size_t other = 0; other < seen.size(); other++)
            warp.seen_warps[other] = std::max(warp.seen_warps[other], seen[other]);
        refresh_threads(warp, warp.lanes);
        for (u32 lane = 0; acquired != nullptr && lane < kWarpLanes; lane++)
            if (warp.lanes >> lane & 1)
                add(warp.threads[lane].acquired, *acquired);
    }
}

void Order::warp_barrier(Warp& warp, u32 members) {
    if (any_acquired(warp, members)) {
        std::vector<Thread*> threads;
        collect(threads, warp, members);
        share(threads, &add);
    }
    if (members == warp.lanes) {
        warp.ordered = next;
        refresh_threads(warp, members);
        return;
    }
    warp.seen_lanes.resize(kWarpLanes * kWarpLanes);
    Stamp seen[kWarpLanes] = {};
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        for (u32 other = 0; members >> lane & 1 && other < kWarpLanes; other++)
            seen[other] = std::max(seen[other], warp.seen_lanes[lane * kWarpLanes + other]);
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        if (members >> lane & 1)
            seen[lane] = next;
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        if (members >> lane & 1)
            std::copy(seen, seen + kWarpLanes, warp.seen_lanes.begin() + lane * kWarpLanes);
    refresh_threads(warp, members);
}

void Order::fence(Thread& thread) {
    if (thread.observed != nullptr) {
        add(thread.acquired, *thread.observed);
        thread.observed = nullptr;
    }
    thread.fenced = {block, thread.warp->index, thread.stamp, thread.warp->ordered, hot.block_ordered};
    thread.has_fence = true;
    thread.stamp = begin_segment(thread.warp->index) | thread.lane;
}

void Order::publish(Thread& thread, u64 address, bool releases) {
    if (releases)
        fence(thread);
    if (!thread.has_fence)
        return;
    auto list = std::make_shared<Releases>(std::move(locations[address]));
    add(list, {thread.fenced});
    if (thread.acquired != nullptr)
        add(list, *thread.acquired);
    locations[address] = std::move(*list);
}

void Order::observe(Thread& thread, u64 address, bool acquires) {
    const auto found = locations.find(address);
    if (found == locations.end())
        return;
    add(acquires ? thread.acquired : thread.observed, found->second);
}

void Order::overwrite(u64 address) {
    locations.erase(address);
}

Releases Order::release(Thread& thread) {
    fence(thread);
    Releases all{thread.fenced};
    if (thread.acquired != nullptr)
        all.insert(all.end(), thread.acquired->begin(), thread.acquired->end());
    return all;
}

void Order::acquire(Thread& thread, const Releases& releases) {
    if (!releases.empty())
        add(thread.acquired, releases);
}

Release Order::release_of(Stamp stamp) const {
    const Segment& segment = segment_of(stamp);
    // Deliveries are told apart by their lane, reads of a warpgroup are in order among themselves.
    return {segment.block, segment.warp, stamp, segment.warp >= kWarpgroup ? (stamp | 31) + 1 : 0, 0};
}

// Writes before this are seen by the asynchronous proxy, too.
void Order::proxy_fence(Thread& thread) {
    thread.proxy_fenced = next;
    thread.stamp = begin_segment(thread.warp->index) | thread.lane;
}

bool Order::proxy_fenced(Stamp write) const {
    const Segment& segment = segment_of(write & kStampMask);
    return segment.warp >= kCopyWarp || segment.block != block || (write & kStampMask) < Block::instance().thread_at(segment.warp * kWarpLanes + (write & 31)).proxy_fenced;
}

}
