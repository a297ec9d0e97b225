// ldmatrix, stmatrix, movmatrix: 8x8 matrices of 16-bit elements between shared memory and fragments.
#include <cstring>
#include "execution/block.h"
#include "watch/access.h"

using namespace emulation;

static u32 pair_of(u16 low, u16 high) {
    return (u32)high << 16 | low;
}

// slot: row address, count | transposed << 8; results from 0.
static void compute_load(Warp& warp, u32) {
    const u32 count = hot.current->slot[1] & 0xFF;
    const bool transposed = hot.current->slot[1] >> 8;
    u16 rows[32][8];
    for (u32 row = 0; row < 8 * count; row++) {
        Thread& thread = warp.threads[row];
        std::memcpy(rows[row], emulated_shared_pointer(thread.slot[0]), 16);
    }
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        for (u32 matrix = 0; matrix < count; matrix++) {
            const u16(*m)[8] = rows + 8 * matrix;
            const u32 major = lane / 4, minor = lane % 4 * 2;
            warp.threads[lane].slot[matrix] = transposed ? pair_of(m[minor][major], m[minor + 1][major]) : pair_of(m[major][minor], m[major][minor + 1]);
        }
}

static const Instruction kLoadMatrix = {"ldmatrix", true, FaultKind::divergent_warp, &compute_load};

emulated_quad emulated_ldmatrix(unsigned count, bool transposed, unsigned row_address, emulated_site site) {
    Thread& thread = *hot.current;
    // The row is this lane's to read: rows of all matrices are given by the first lanes.
    if (thread.lane < 8 * count)
        touch<16, Access::read>((u64)emulated_shared_pointer(row_address), __builtin_return_address(0));
    thread.slot[0] = row_address;
    thread.slot[1] = count | (u32)transposed << 8;
    Block::instance().exchange(kLoadMatrix, 0xFFFFFFFF, count << 1 | (u32)transposed, site);
    return {{thread.slot[0], thread.slot[1], thread.slot[2], thread.slot[3]}};
}

// slot: row address, count | transposed << 8, then the fragments.
static void compute_store(Warp& warp, u32) {
    const u32 count = hot.current->slot[1] & 0xFF;
    const bool transposed = hot.current->slot[1] >> 8;
    for (u32 row = 0; row < 8 * count; row++) {
        auto* to = (u16*)emulated_shared_pointer(warp.threads[row].slot[0]);
        for (u32 column = 0; column < 8; column++) {
            const u32 major = transposed ? column : row % 8, minor = transposed ? row % 8 : column;
            to[column] = (u16)(warp.threads[major * 4 + minor / 2].slot[2 + row / 8] >> 16 * (minor % 2));
        }
    }
}

static const Instruction kStoreMatrix = {"stmatrix", true, FaultKind::divergent_warp, &compute_store};

void emulated_stmatrix(unsigned count, bool transposed, unsigned row_address, unsigned a0, unsigned a1, unsigned a2, unsigned a3, emulated_site site) {
    Thread& thread = *hot.current;
    if (thread.lane < 8 * count)
        touch<16, Access::write>((u64)emulated_shared_pointer(row_address), __builtin_return_address(0));
    u32* slot = thread.slot;
    slot[0] = row_address, slot[1] = count | (u32)transposed << 8;
    slot[2] = a0, slot[3] = a1, slot[4] = a2, slot[5] = a3;
    Block::instance().exchange(kStoreMatrix, 0xFFFFFFFF, count << 1 | (u32)transposed, site);
}

static void compute_move(Warp& warp, u32) {
    u32 a[kWarpLanes];
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        a[lane] = warp.threads[lane].slot[0];
    const auto element = [&](u32 row, u32 column) { return (u16)(a[row * 4 + column / 2] >> 16 * (column % 2)); };
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        warp.threads[lane].slot[0] = pair_of(element(lane % 4 * 2, lane / 4), element(lane % 4 * 2 + 1, lane / 4));
}

static const Instruction kMoveMatrix = {"movmatrix", true, FaultKind::divergent_warp, &compute_move};

unsigned emulated_movmatrix(unsigned a, emulated_site site) {
    u32* slot = hot.current->slot;
    slot[0] = a;
    Block::instance().exchange(kMoveMatrix, 0xFFFFFFFF, 0, site);
    return slot[0];
}
