// Instructions that exchange registers between lanes, and __syncwarp.
#include <algorithm>
#include "execution/block.h"
#include "watch/order.h"

using namespace emulation;

static void compute_shuffle(Warp& warp, u32 members) {
    u32 results[kWarpLanes];
    for (u32 lane = 0; lane < kWarpLanes; lane++) {
        if (!(members >> lane & 1))
            continue;
        // slot: value, mode, b, c. c holds the clamp in its low bits and the segment mask above.
        const u32* slot = warp.threads[lane].slot;
        const u32 b = slot[2] & 31, clamp = slot[3] & 31, segment_mask = slot[3] >> 8 & 31;
        const u32 low = lane & segment_mask, high = low | (clamp & ~segment_mask);
        u32 source = lane;
        bool inside = true;
        switch ((emulated_shuffle_mode)slot[1]) {
        case emulated_shuffle_up: source = lane - b; inside = (i32)source >= (i32)high; break;
        case emulated_shuffle_down: source = lane + b; inside = source <= high; break;
        case emulated_shuffle_butterfly: source = lane ^ b; inside = source <= high; break;
        case emulated_shuffle_index: source = low | (b & ~segment_mask); inside = source <= high; break;
        }
        if (!inside)
            source = lane;
        if (!(members >> source & 1))
            Block::instance().stop(FaultKind::bad_lane, 0,
                                   text("shfl.sync: lane %u takes from lane %u, which is not among the members 0x%08x", lane, source, members), nullptr,
                                   warp.threads[lane].arrival.site);
        results[lane] = warp.threads[source].slot[0];
    }
    for (u32 left = members; left != 0; left &= left - 1)
        warp.threads[__builtin_ctz(left)].slot[0] = results[__builtin_ctz(left)];
}

static const Instruction kShuffle = {"shfl.sync", false, FaultKind::divergent_warp, &compute_shuffle};

unsigned emulated_shuffle(emulated_shuffle_mode mode, unsigned value, unsigned b, unsigned c, unsigned members, emulated_site site) {
    u32* slot = hot.current->slot;
    slot[0] = value, slot[1] = mode, slot[2] = b, slot[3] = c;
    Block::instance().exchange(kShuffle, members, mode, site);
    return slot[0];
}

static void compute_vote(Warp& warp, u32 members) {
    u32 ballot = 0;
    for (u32 left = members; left != 0; left &= left - 1)
        ballot |= warp.threads[__builtin_ctz(left)].slot[0] << __builtin_ctz(left);
    const auto kind = (emulated_vote_kind)hot.current->slot[1];
    const u32 result = kind == emulated_vote_ballot ? ballot : kind == emulated_vote_any ? ballot != 0 : ballot == members;
    for (u32 left = members; left != 0; left &= left - 1)
        warp.threads[__builtin_ctz(left)].slot[0] = result;
}

static const Instruction kVote = {"vote.sync", false, FaultKind::divergent_warp, &compute_vote};

unsigned emulated_vote(emulated_vote_kind kind, bool predicate, unsigned members, emulated_site site) {
    u32* slot = hot.current->slot;
    slot[0] = predicate, slot[1] = kind;
    Block::instance().exchange(kVote, members, kind, site);
    return slot[0];
}

static u32 reduced(emulated_reduction kind, u32 a, u32 b) {
    switch (kind) {
    case emulated_reduce_add: return a + b;
    case emulated_reduce_min_s32: return (u32)std::min((i32)a, (i32)b);
    case emulated_reduce_max_s32: return (u32)std::max((i32)a, (i32)b);
    case emulated_reduce_min_u32: return std::min(a, b);
    default: return std::max(a, b);
    }
}

static void compute_redux(Warp& warp, u32 members) {
    const auto kind = (emulated_reduction)hot.current->slot[1];
    u32 result = warp.threads[__builtin_ctz(members)].slot[0];
    for (u32 left = members & (members - 1); left != 0; left &= left - 1)
        result = reduced(kind, result, warp.threads[__builtin_ctz(left)].slot[0]);
    for (u32 left = members; left != 0; left &= left - 1)
        warp.threads[__builtin_ctz(left)].slot[0] = result;
}

static const Instruction kRedux = {"redux.sync", false, FaultKind::divergent_warp, &compute_redux};

unsigned emulated_redux(emulated_reduction kind, unsigned value, unsigned members, emulated_site site) {
    u32* slot = hot.current->slot;
    slot[0] = value, slot[1] = kind;
    Block::instance().exchange(kRedux, members, kind, site);
    return slot[0];
}

static void compute_sync(Warp& warp, u32 members) {
    bool waited = false;
    for (u32 left = members; left != 0; left &= left - 1)
        waited |= warp.threads[__builtin_ctz(left)].grid_waited;
    for (u32 left = members; waited && left != 0; left &= left - 1)
        warp.threads[__builtin_ctz(left)].grid_waited = true;
    if (hot.watching)
        Order::instance().warp_barrier(warp, members);
}

static const Instruction kSyncWarp = {"__syncwarp", false, FaultKind::divergent_warp, &compute_sync};

void emulated_sync_warp(unsigned members, emulated_site site) {
    // CUDA lets the default mask stand for a last warp that is not whole.
    const u32 lanes = hot.current->warp->lanes;
    Block::instance().exchange(kSyncWarp, members == 0xFFFFFFFF ? lanes : members, 0, site);
}

unsigned emulated_active_mask() {
    return hot.current->warp->lanes & ~hot.current->warp->exited;
}
