#include "hopper/wgmma.h"
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include "configuration.h"
#include "execution/block.h"
#include "hopper/async_proxy.h"
#include "hopper/wgmma_product.h"
#include "watch/order.h"

namespace emulation {

static constexpr u32 kSharedChunks = (Block::kSharedArenaBytes + 64 * 1024) / kChunkBytes;

Wgmma& Wgmma::instance() {
    static Wgmma* wgmma = new Wgmma();
    return *wgmma;
}

void Wgmma::begin_block(u32 warps) {
    groups.clear();
    groups.resize((warps + kWarpgroupWarps - 1) / kWarpgroupWarps);
    readers.assign(kSharedChunks, 0);
    hot.registers_in_flight = 0;
}

[[noreturn]] static void stop(const std::string& message, emulated_site site) {
    Block::instance().stop(FaultKind::bad_wgmma, 0, message, nullptr, site);
}

static const WgmmaOperands& operands_of(const Thread& thread) {
    return *(const WgmmaOperands*)thread.operands;
}

static u32 row_of(u32 thread, u32 i) {
    return 16 * (thread / 32) + thread % 32 / 4 + 8 * (i / 2 % 2);
}

static u32 column_of(u32 thread, u32 i) {
    return 8 * (i / 4) + 2 * (thread % 4) + i % 2;
}

static bool same_operation(const WgmmaOperands& a, const WgmmaOperands& b) {
    return a.n == b.n && a.is_bf16 == b.is_bf16 && a.accumulates == b.accumulates && (a.a_place != nullptr) == (b.a_place != nullptr) && a.a == b.a && a.b == b.b
        && a.a_transposed == b.a_transposed && a.b_transposed == b.b_transposed;
}

void Wgmma::begin_operation(Warpgroup& group, const WgmmaOperands& operands, u32 warp) {
    Operation operation{};
    operation.operands = operands;
    operation.issued = Order::instance().now();
    if (operands.a_place == nullptr)
        add_runs(MatrixDescriptor(operands.a, operands.a_transposed, "A", operands.site), kWgmmaRows, operation.runs);
    add_runs(MatrixDescriptor(operands.b, operands.b_transposed, "B", operands.site), operands.n, operation.runs);
    for (const u32 run : operation.runs) {
        chunk_at(run, "a wgmma reads", operands.site);
        readers[run / kChunkBytes]++;
    }
    operation.chain = chain_of(group, operands, warp);
    group.operations.push_back(std::move(operation));
}

// The chain that is under way in these registers, or a new one.
size_t Wgmma::chain_of(Warpgroup& group, const WgmmaOperands& operands, u32 warp) {
    size_t unused = group.chains.size();
    for (size_t i = 0; i < group.chains.size(); i++) {
        const Chain& chain = group.chains[i];
        if (chain.d[warp * kWarpLanes] == operands.d) {
            if (chain.n != operands.n)
                stop(text("a wgmma of n = %u on accumulators of one of n = %u that was not waited for", operands.n, chain.n), operands.site);
            return i;
        }
        if (chain.n == 0)
            unused = i;
    }
    if (unused == group.chains.size())
        group.chains.emplace_back();
    group.chains[unused] = {operands.n, std::vector<float>(kWgmmaRows * operands.n), {}, {}};
    return unused;
}

// The warp's registers belong to the operation from here on: read as no number until they are waited for.
void Wgmma::join_chain(Warp& warp, WarpState& state, Chain& chain, u64 number) {
    const u32 first = warp.index % kWarpgroupWarps * kWarpLanes;
    hot.registers_in_flight += chain.d[first] == nullptr;
    const WgmmaOperands& leader = operands_of(warp.threads[0]);
    chain.last[warp.index % kWarpgroupWarps] = number;
    if (chain.d[first] != nullptr)
        return;
    const bool touched = leader.accumulates && leader.d == state.last_d
        && std::memcmp(state.last_sums.data(), leader.d, std::min<size_t>(state.last_sums.size(), chain.n / 2) * sizeof(float)) != 0;
    if (!state.fenced && (state.last_d == nullptr || touched))
        stop(touched ? "a wgmma on accumulators that the thread has changed, with no wgmma.fence since" : "the first wgmma has no wgmma.fence before it",
             leader.site);
    for (u32 lane = 0; lane < kWarpLanes; lane++) {
        float* d = operands_of(warp.threads[lane]).d;
        chain.d[first + lane] = d;
        for (u32 i = 0; i < chain.n / 2; i++) {
            chain.sums[row_of(first + lane, i) * chain.n + column_of(first + lane, i)] = d[i];
            d[i] = std::bit_cast<float>(0xFFFFFFFFu);
        }
    }
}

void Wgmma::issue(Warp& warp) {
    Warpgroup& group = group_of(warp);
    WarpState& state = state_of(warp);
    const u32 in_group = warp.index % kWarpgroupWarps;
    const WgmmaOperands& operands = operands_of(warp.threads[0]);
    if (warp.lanes != 0xFFFFFFFF || (warp.index | 3) >= Block::instance().warp_count())
        stop("a wgmma in a warpgroup that is not whole", operands.site);
    for (u32 lane = 0; lane < kWarpLanes; lane++)
        if (!same_operation(operands, operands_of(warp.threads[lane])))
            stop(text("the lanes of a warp give a wgmma different operands: lane %u", lane), operands.site);
    const u64 number = state.issued++;
    if (number - group.first == group.operations.size())
        begin_operation(group, operands, in_group);
    Operation& operation = group.operations[number - group.first];
    if (!same_operation(operation.operands, operands))
        stop("the warps of a warpgroup give a wgmma different operands", operands.site);
    for (const u32 run : operation.runs)
        check_async_read(chunk_at(run, "a wgmma reads", operands.site), "a wgmma reads", operands.site);
    Chain& chain = group.chains[operation.chain];
    for (const Chain& other : group.chains)
        if (&other != &chain && other.d[in_group * kWarpLanes] == operands.d)
            stop("the warps of a warpgroup give a wgmma different accumulators", operands.site);
    join_chain(warp, state, chain, number);
    for (u32 lane = 0; lane < kWarpLanes; lane++) {
        const WgmmaOperands& mine = operands_of(warp.threads[lane]);
        std::memcpy(operation.a_registers[in_group * kWarpLanes + lane], mine.a_registers, sizeof mine.a_registers);
        operation.a_places[in_group * kWarpLanes + lane] = mine.a_place;
    }
    operation.issued_warps |= 1u << in_group;
    if (hot.watching)
        Order::instance().new_segment(warp, warp.lanes);
    if (operation.issued_warps == 0xF)
        Block::instance().wake(Sleep::warpgroup, warp.index / kWarpgroupWarps);
}

void Wgmma::commit(Warp& warp) {
    WarpState& state = state_of(warp);
    state.group_ends.push_back(state.issued);
}

std::string Wgmma::describe(const Thread& thread) {
    return text("a wgmma that not all warps of warpgroup %u have given", (u32)thread.sleep_on);
}

void Wgmma::wait(Warp& warp, u32 pending, emulated_site site) {
    WarpState& state = state_of(warp);
    const u32 index = warp.index / kWarpgroupWarps;
    const size_t groups_given = state.group_ends.size();
    if (groups_given <= pending)
        return;
    const u64 end = state.group_ends[groups_given - 1 - pending];
    for (u64 number = groups[index].first; number < end; number++)
        while (number >= groups[index].first && groups[index].operations[number - groups[index].first].issued_warps != 0xF) {
            Block::instance().sleep(Sleep::warpgroup, index, site, &describe);
            hot.current->state = ThreadState::at_warp;
        }
    Warpgroup& group = groups[index];
    for (u64 number = group.first; number < end; number++)
        if (Operation& operation = group.operations[number - group.first]; !operation.executed)
            execute(group, operation, index);
    give_back(warp, group, end);
}

void Wgmma::execute(Warpgroup& group, Operation& operation, u32 index) {
    operation.executed = true;
    const char* what = "a wgmma that is waited for now reads";
    if (hot.watching)
        operation.reader = Order::instance().begin_async(Order::kWarpgroup + index, 0);
    for (const u32 run : operation.runs) {
        const SharedChunk chunk = chunk_at(run, what, operation.operands.site);
        check_unchanged(chunk, operation.issued, what, operation.operands.site);
        mark_async_read(chunk, operation.reader, Order::kWarpgroup + index);
        readers[run / kChunkBytes]--;
    }
    multiply_wgmma(operation.operands, operation.a_registers, operation.runs, group.chains[operation.chain].sums.data());
}

// Accumulators whose last operation is over go back to the warp's registers; what was read is in order for it.
void Wgmma::give_back(Warp& warp, Warpgroup& group, u64 end) {
    WarpState& state = state_of(warp);
    const u32 in_group = warp.index % kWarpgroupWarps, first = in_group * kWarpLanes;
    for (Chain& chain : group.chains) {
        if (chain.n == 0 || chain.d[first] == nullptr || chain.last[in_group] >= end)
            continue;
        for (u32 lane = 0; lane < kWarpLanes; lane++)
            for (u32 i = 0; i < chain.n / 2; i++)
                chain.d[first + lane][i] = chain.sums[row_of(first + lane, i) * chain.n + column_of(first + lane, i)];
        state.last_d = chain.d[first];
        state.last_sums.assign(chain.d[first], chain.d[first] + chain.n / 2);
        state.fenced = false;
        std::fill(chain.d + first, chain.d + first + kWarpLanes, nullptr);
        hot.registers_in_flight--;
        if (std::all_of(chain.d, chain.d + kWarpgroupThreads, [](const float* d) { return d == nullptr; }))
            chain.n = 0;
    }
    if (hot.watching && end > state.waited) {
        const Releases reads{Order::instance().release_of(group.operations[end - 1 - group.first].reader)};
        const std::shared_ptr<Releases> before = warp.threads[0].acquired;
        Order::instance().acquire(warp.threads[0], reads);
        for (u32 lane = 1; lane < kWarpLanes; lane++)
            if (warp.threads[lane].acquired == before)
                warp.threads[lane].acquired = warp.threads[0].acquired;
            else
                Order::instance().acquire(warp.threads[lane], reads);
    }
    state.waited = std::max(state.waited, end);
    const auto waited_by_all = [&] {
        return std::all_of(group.warps, group.warps + kWarpgroupWarps, [&](const WarpState& each) { return each.waited > group.first; });
    };
    while (!group.operations.empty() && group.operations.front().executed && waited_by_all()) {
        group.operations.pop_front();
        group.first++;
    }
}

void Wgmma::check_overwrite(u32 shared_address, emulated_site site) const {
    if (shared_address / kChunkBytes < readers.size() && readers[shared_address / kChunkBytes] != 0)
        Block::instance().stop(FaultKind::shared_memory_race, shared_address,
                               text("a bulk copy writes 16 bytes at %s, which a wgmma reads that was not waited for: the stage was released too early",
                                    place_of_shared(shared_address).c_str()), nullptr, site);
}

const char* Wgmma::holds_register(u64 address, u32 bytes, bool writes) {
    const Warp& warp = *hot.current->warp;
    const Warpgroup& group = group_of(warp);
    const u32 thread = hot.current->linear % kWarpgroupThreads;
    for (const Chain& chain : group.chains)
        if (chain.n != 0 && chain.d[thread] != nullptr && address + bytes > (u64)chain.d[thread] && address < (u64)(chain.d[thread] + chain.n / 2))
            return "an accumulator";
    const WarpState& state = state_of(warp);
    for (u64 number = state.waited; writes && number < state.issued; number++) {
        const u64 place = (u64)group.operations[number - group.first].a_places[thread];
        if (place != 0 && address + bytes > place && address < place + 4 * sizeof(u32))
            return "a register of A";
    }
    return nullptr;
}

static void compute_fence(Warp& warp, u32) {
    Wgmma::instance().fence(warp);
}

static void compute_issue(Warp& warp, u32) {
    Wgmma::instance().issue(warp);
}

static void compute_commit(Warp& warp, u32) {
    Wgmma::instance().commit(warp);
}

static void compute_wait(Warp& warp, u32) {
    Wgmma::instance().wait(warp, hot.current->slot[0], hot.current->arrival.site);
}

static const Instruction kFence = {"wgmma.fence", true, FaultKind::divergent_warp, &compute_fence};
static const Instruction kIssue = {"wgmma.mma_async", true, FaultKind::divergent_warp, &compute_issue};
static const Instruction kCommit = {"wgmma.commit_group", true, FaultKind::divergent_warp, &compute_commit};
static const Instruction kWait = {"wgmma.wait_group", true, FaultKind::divergent_warp, &compute_wait};

}

using namespace emulation;

void emulated_wgmma_fence(emulated_site site) {
    Block::instance().exchange(kFence, 0xFFFFFFFF, 0, site);
}

void emulated_wgmma_commit(emulated_site site) {
    Block::instance().exchange(kCommit, 0xFFFFFFFF, 0, site);
}

void emulated_wgmma_wait(unsigned pending, emulated_site site) {
    hot.current->slot[0] = pending;
    Block::instance().exchange(kWait, 0xFFFFFFFF, pending, site);
}

void emulated_wgmma(unsigned n, bool is_bf16, bool accumulates, const unsigned* a_registers, unsigned long long a, bool a_transposed, unsigned long long b,
                    bool b_transposed, float* d, emulated_site site) {
    WgmmaOperands operands{n, is_bf16, accumulates, a_transposed, b_transposed, a, b, a_registers, {}, d, site};
    if (n < 8 || n > 256 || n % 8 != 0)
        stop(text("a wgmma of n = %u: multiples of 8 up to 256 are possible", n), site);
    if (a_registers != nullptr)
        std::memcpy(operands.a_registers, a_registers, sizeof operands.a_registers);
    hot.current->operands = &operands;
    Block::instance().exchange(kIssue, 0xFFFFFFFF, n, site);
}
