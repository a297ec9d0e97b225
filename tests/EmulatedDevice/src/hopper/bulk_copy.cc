#include "hopper/bulk_copy.h"
#include <algorithm>
#include <cstring>
#include "configuration.h"
#include "execution/block.h"
#include "faults/place.h"
#include "hopper/async_proxy.h"
#include "hopper/mbarrier.h"
#include "hopper/wgmma.h"
#include "watch/access.h"
#include "watch/order.h"

namespace emulation {

static constexpr u32 kTensorAlignment = 128;

BulkCopies& BulkCopies::instance() {
    static BulkCopies* copies = new BulkCopies();
    return *copies;
}

void BulkCopies::begin_block() {
    loads.clear();
    stores.clear();
}

void BulkCopies::load(u32 mbarrier, std::vector<BoxChunk> chunks, u32 bytes, emulated_site site) {
    const char* what = "a bulk copy writes";
    Mbarriers::instance().announce(mbarrier, bytes, site);
    for (const BoxChunk& chunk : chunks) {
        Wgmma::instance().check_overwrite(chunk.shared_address, site);
        begin_async_write(chunk_at(chunk.shared_address, what, site), what, site);
        if (chunk.count > 0)
            check_async_global_read(chunk.global, chunk.count, "a bulk copy reads", site);
    }
    loads.push_back({hot.current, site, mbarrier, bytes, std::move(chunks)});
}

void BulkCopies::deliver(const Load& load) {
    Stamp stamp = 0;
    if (hot.watching)
        stamp = Order::instance().begin_async(Order::kCopyWarp, Mbarriers::instance().index_of(load.mbarrier) % kWarpLanes);
    for (const BoxChunk& chunk : load.chunks) {
        u8 data[kChunkBytes] = {};
        if (chunk.count > 0)
            std::memcpy(data + chunk.skip, (const void*)chunk.global, chunk.count);
        emulation::deliver(chunk_at(chunk.shared_address, "a bulk copy writes", load.site), data, stamp);
    }
    if (hot.watching) {
        const Release release = Order::instance().release_of(stamp);
        Mbarriers::instance().complete(load.mbarrier, load.bytes, &release);
    } else {
        Mbarriers::instance().complete(load.mbarrier, load.bytes, nullptr);
    }
}

bool BulkCopies::deliver_one() {
    std::vector<size_t> wanted;
    for (size_t i = 0; i < loads.size(); i++)
        if (Block::instance().someone_sleeps(Sleep::mbarrier, loads[i].mbarrier))
            wanted.push_back(i);
    if (wanted.empty())
        return false;
    const Schedule schedule = Configuration::instance().schedule;
    const size_t chosen = schedule == Schedule::forward ? wanted.front() : schedule == Schedule::reverse ? wanted.back()
        : wanted[Block::instance().random() % wanted.size()];
    const Load load = std::move(loads[chosen]);
    loads.erase(loads.begin() + (long)chosen);
    deliver(load);
    return true;
}

void BulkCopies::store(std::vector<BoxChunk> chunks, emulated_site site) {
    const char* what = "a bulk store reads";
    Thread& thread = *hot.current;
    const Stamp issued = Order::instance().now();
    for (const BoxChunk& chunk : chunks) {
        const SharedChunk source = chunk_at(chunk.shared_address, what, site);
        check_async_read(source, what, site);
        mark_async_read(source, thread.stamp, thread.warp->index);
        if (chunk.count == 0)
            continue;
        thread.arrival.site = site;
        touch_range(chunk.global, chunk.count, Access::write, nullptr);
        for (u32 word = 0; hot.watching && word < chunk.count / 4u; word++)
            hot.device.cells[(chunk.global - hot.device.base) / 4 + word] = {kPendingAsync, 0};
    }
    stores.push_back({&thread, site, thread.bulk_group, issued, thread.stamp, false, std::move(chunks), {}});
    // What the thread writes from now on is told from what it wrote before.
    if (hot.watching)
        Order::instance().new_segment(*thread.warp, 1u << thread.lane);
}

void BulkCopies::read(Store& store) {
    store.was_read = true;
    store.data.resize(store.chunks.size() * kChunkBytes);
    for (size_t i = 0; i < store.chunks.size(); i++) {
        const SharedChunk source = chunk_at(store.chunks[i].shared_address, "a bulk store reads", store.site);
        check_unchanged(source, store.issued, "a bulk store reads", store.site);
        std::memcpy(store.data.data() + i * kChunkBytes, source.data, kChunkBytes);
    }
}

void BulkCopies::write(const Store& store) {
    for (size_t i = 0; i < store.chunks.size(); i++) {
        const BoxChunk& chunk = store.chunks[i];
        std::memcpy((void*)chunk.global, store.data.data() + i * kChunkBytes + chunk.skip, chunk.count);
        for (u32 word = 0; hot.watching && word < chunk.count / 4u; word++)
            hot.device.cells[(chunk.global - hot.device.base) / 4 + word] = {store.writer, 0};
    }
}

void BulkCopies::wait(u32 pending, bool only_read) {
    const Thread& thread = *hot.current;
    for (size_t i = 0; i < stores.size();) {
        Store& store = stores[i];
        if (store.issuer != &thread || store.group + pending >= thread.bulk_group) {
            i++;
            continue;
        }
        if (!store.was_read)
            read(store);
        if (only_read) {
            i++;
            continue;
        }
        write(store);
        stores.erase(stores.begin() + (long)i);
    }
}

void BulkCopies::check_exit(const Thread& thread) {
    for (const Store& store : stores)
        if (store.issuer == &thread && !store.was_read)
            Block::instance().stop(FaultKind::async_copy_not_waited, 0,
                                   "returns before cp.async.bulk.wait_group.read of a bulk store: shared memory may be another block's when it is read",
                                   nullptr, store.site);
}

std::optional<Fault> BulkCopies::finish_block() {
    for (const Store& store : stores)
        write(store);
    stores.clear();
    if (loads.empty())
        return std::nullopt;
    Fault fault{FaultKind::async_copy_not_waited};
    fault.message = "the block ends while a bulk copy into its shared memory is under way, given" + place_of_site(loads.front().site);
    const Thread& issuer = *loads.front().issuer;
    fault.thread = {issuer.indices[0], issuer.indices[1], issuer.indices[2]};
    return fault;
}

}

using namespace emulation;

static const TensorMap& map_at(const void* memory, emulated_site site) {
    const TensorMap* map = TensorMap::at(memory);
    if (map == nullptr)
        Block::instance().stop(FaultKind::bad_tensor_map, (u64)memory,
                               text("takes 0x%llx for a tensor map: it is none, or not at a multiple of 64", (unsigned long long)(u64)memory), nullptr, site);
    return *map;
}

static std::vector<BoxChunk> box(const TensorMap& map, unsigned rank, const int* coordinates, u32 shared_address, emulated_site site) {
    if (map.rank != rank)
        Block::instance().stop(FaultKind::bad_tensor_map, 0, text("copies a box of %u dimensions by a map of %u", rank, map.rank), nullptr, site);
    if (shared_address % kTensorAlignment != 0)
        Block::instance().stop(FaultKind::misaligned_address, shared_address,
                               text("copies a box to or from %s, which is no multiple of %u", place_of_shared(shared_address).c_str(), kTensorAlignment), nullptr,
                               site);
    return chunks_of_box(map, coordinates, shared_address);
}

static std::vector<BoxChunk> line(u32 shared_address, u64 global, u32 bytes, emulated_site site) {
    if (shared_address % kChunkBytes != 0 || global % kChunkBytes != 0 || bytes % kChunkBytes != 0 || bytes == 0)
        Block::instance().stop(FaultKind::misaligned_address, global,
                               text("cp.async.bulk of %u bytes between 0x%llx and %s: all must be multiples of 16", bytes, (unsigned long long)global,
                                    place_of_shared(shared_address).c_str()), nullptr, site);
    std::vector<BoxChunk> chunks;
    for (u32 byte = 0; byte < bytes; byte += kChunkBytes)
        chunks.push_back({shared_address + byte, global + byte, 0, kChunkBytes});
    return chunks;
}

void emulated_bulk_tensor_load(unsigned shared_address, const void* memory, unsigned rank, const int* coordinates, unsigned mbarrier, emulated_site site) {
    const TensorMap& map = map_at(memory, site);
    BulkCopies::instance().load(mbarrier, box(map, rank, coordinates, shared_address, site), map.box_bytes(), site);
}

void emulated_bulk_tensor_store(const void* memory, unsigned rank, const int* coordinates, unsigned shared_address, emulated_site site) {
    BulkCopies::instance().store(box(map_at(memory, site), rank, coordinates, shared_address, site), site);
}

void emulated_bulk_load(unsigned shared_address, const void* global, unsigned bytes, unsigned mbarrier, emulated_site site) {
    BulkCopies::instance().load(mbarrier, line(shared_address, (u64)global, bytes, site), bytes, site);
}

void emulated_bulk_store(void* global, unsigned shared_address, unsigned bytes, emulated_site site) {
    BulkCopies::instance().store(line(shared_address, (u64)global, bytes, site), site);
}

void emulated_bulk_commit() {
    BulkCopies::instance().commit();
}

void emulated_bulk_wait(unsigned pending, bool only_read) {
    BulkCopies::instance().wait(pending, only_read);
}
