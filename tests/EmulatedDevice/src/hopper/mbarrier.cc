#include "hopper/mbarrier.h"
#include <cstring>
#include "configuration.h"
#include "execution/block.h"
#include "faults/place.h"
#include "hopper/async_proxy.h"
#include "watch/access.h"
#include "watch/order.h"

namespace emulation {

// What stands in shared memory for an initialised barrier: whoever writes there otherwise is found.
static constexpr u64 kOpaque = 0x62616E6E696D4D58ull;
static constexpr u32 kMostCount = (1u << 20) - 1;

Mbarriers& Mbarriers::instance() {
    static Mbarriers* mbarriers = new Mbarriers();
    return *mbarriers;
}

[[noreturn]] static void stop(u32 address, const std::string& message, emulated_site site) {
    Block::instance().stop(FaultKind::bad_mbarrier, (u64)address, message + ", mbarrier at " + place_of_shared(address), nullptr, site);
}

void Mbarriers::initialise(u32 address, u32 count, emulated_site site) {
    if (address % 8 != 0)
        stop(address, "mbarrier.init at an address that is not a multiple of 8", site);
    if (count == 0 || count > kMostCount)
        stop(address, text("mbarrier.init with a count of %u: 1 to %u are possible", count, kMostCount), site);
    for (const Barrier& barrier : barriers)
        if (barrier.address == address)
            stop(address, "mbarrier.init of a barrier that is in use", site);
    hot.current->arrival.site = site;
    auto* place = (u64*)emulated_shared_pointer(address);
    touch<8, Access::write>((u64)place, nullptr);
    *place = kOpaque;
    Barrier barrier{address, count, count};
    barrier.initialiser = hot.current->linear;
    barrier.site = site;
    barrier.seen.resize(Block::instance().launch().block.count());
    barriers.push_back(std::move(barrier));
}

void Mbarriers::invalidate(u32 address, emulated_site site) {
    Barrier& barrier = find(address, "mbarrier.inval", site);
    barriers.erase(barriers.begin() + (&barrier - barriers.data()));
}

void Mbarriers::fence_initialisation() {
    for (Barrier& barrier : barriers)
        barrier.visible |= barrier.initialiser == hot.current->linear;
}

Mbarriers::Barrier& Mbarriers::find(u32 address, const char* what, emulated_site site) {
    hot.current->arrival.site = site;
    for (Barrier& barrier : barriers)
        if (barrier.address == address) {
            auto* place = (u64*)emulated_shared_pointer(address);
            touch<8, Access::atomic>((u64)place, nullptr);
            if (*place != kOpaque)
                stop(address, text("%s of a barrier over which something else was written", what), site);
            return barrier;
        }
    stop(address, text("%s of what no mbarrier.init has made", what), site);
}

void Mbarriers::arrive(u32 address, u32 count, u32 expected_bytes, emulated_site site) {
    Barrier& barrier = find(address, "mbarrier.arrive", site);
    if (count > barrier.pending)
        stop(address, text("mbarrier.arrive, but all %u arrivals of phase %llu are there", barrier.count, (unsigned long long)barrier.phase), site);
    barrier.expected += expected_bytes;
    if (hot.watching) {
        const Releases mine = Order::instance().release(*hot.current);
        barrier.incoming.insert(barrier.incoming.end(), mine.begin(), mine.end());
    }
    barrier.pending -= count;
    finish_phase(barrier);
}

void Mbarriers::finish_phase(Barrier& barrier) {
    if (barrier.pending > 0 || barrier.delivered < barrier.expected)
        return;
    barrier.phase++;
    barrier.pending = barrier.count;
    barrier.expected = barrier.given = barrier.delivered = 0;
    barrier.completed.swap(barrier.incoming);
    barrier.incoming.clear();
    Block::instance().wake(Sleep::mbarrier, barrier.address);
}

std::string Mbarriers::describe(const Thread& thread) {
    for (const Barrier& barrier : instance().barriers)
        if (barrier.address == thread.sleep_on)
            return text("mbarrier at %s, initialised%s, in phase %llu: %u of %u arrivals are missing, and %llu of %llu announced bytes, of which copies "
                        "that were given bring %llu", place_of_shared(barrier.address).c_str(), place_of_site(barrier.site).c_str(),
                        (unsigned long long)barrier.phase, barrier.pending, barrier.count, (unsigned long long)(barrier.expected - barrier.delivered),
                        (unsigned long long)barrier.expected, (unsigned long long)(barrier.given - barrier.delivered));
    return "an mbarrier that is gone";
}

bool Mbarriers::try_wait(u32 address, u32 parity, emulated_site site) {
    Block& block = Block::instance();
    Thread& thread = *hot.current;
    // The instruction may return before the phase is over: a loop must be around it.
    if (Configuration::instance().schedule == Schedule::shuffled && block.random() % 8 == 0
        && (find(address, "mbarrier.try_wait", site).phase & 1) == parity) {
        block.give_way();
        return false;
    }
    while ((find(address, "mbarrier.try_wait", site).phase & 1) == parity)
        block.sleep(Sleep::mbarrier, address, site, &describe);
    Barrier& barrier = find(address, "mbarrier.try_wait", site);
    u64& seen = barrier.seen[thread.linear];
    if (barrier.phase != 0 && seen == barrier.phase)
        stop(address, text("waits with parity %u for phase %llu, whose end it has seen: was the parity not flipped when the ring began anew?", parity,
                           (unsigned long long)barrier.phase - 1), site);
    seen = barrier.phase;
    if (hot.watching)
        Order::instance().acquire(thread, barrier.completed);
    return true;
}

void Mbarriers::announce(u32 address, u32 bytes, emulated_site site) {
    Barrier& barrier = find(address, "a bulk copy's completion", site);
    if (!barrier.visible)
        stop(address, "a bulk copy uses a barrier whose initialisation no fence.mbarrier_init has made visible to it", site);
    if (barrier.given + bytes > barrier.expected)
        stop(address, text("a bulk copy of %u bytes, but of the %llu that expect_tx announced for phase %llu only %llu are left", bytes,
                           (unsigned long long)barrier.expected, (unsigned long long)barrier.phase, (unsigned long long)(barrier.expected - barrier.given)),
             site);
    barrier.given += bytes;
}

void Mbarriers::complete(u32 address, u32 bytes, const Release* release) {
    for (Barrier& barrier : barriers)
        if (barrier.address == address) {
            barrier.delivered += bytes;
            if (release != nullptr)
                barrier.incoming.push_back(*release);
            finish_phase(barrier);
            return;
        }
}

u32 Mbarriers::index_of(u32 address) const {
    for (u32 i = 0; i < barriers.size(); i++)
        if (barriers[i].address == address)
            return i;
    return 0;
}

}

using namespace emulation;

void emulated_mbarrier_init(unsigned address, unsigned count, emulated_site site) {
    Mbarriers::instance().initialise(address, count, site);
}

void emulated_mbarrier_inval(unsigned address, emulated_site site) {
    Mbarriers::instance().invalidate(address, site);
}

void emulated_mbarrier_fence_init() {
    Mbarriers::instance().fence_initialisation();
}

void emulated_mbarrier_arrive(unsigned address, unsigned expected_bytes, emulated_site site) {
    Mbarriers::instance().arrive(address, 1, expected_bytes, site);
}

bool emulated_mbarrier_try_wait(unsigned address, unsigned parity, emulated_site site) {
    return Mbarriers::instance().try_wait(address, parity, site);
}

void emulated_proxy_fence() {
    if (hot.watching)
        Order::instance().proxy_fence(*hot.current);
}
