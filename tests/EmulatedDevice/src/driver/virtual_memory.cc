// Reserved addresses and the memory behind them. Only what grows from the first address on is emulated: memory is mapped behind what is mapped.
#include <cstring>
#include <map>
#include "configuration.h"
#include "driver/runtime.h"
#include "watch/address_space.h"

using namespace emulation;

constexpr u64 kGranularity = 2ull << 20;

struct Chunk {
    u64 bytes;
    u64 address = 0;        // 0: not mapped
    bool accessible = false;
    bool released = false;
};

// Guarded by the lock of the calls.
static std::map<u64, Chunk>& chunks() {
    static auto* all = new std::map<u64, Chunk>();
    return *all;
}

static u64 next_handle = 1;

static CUresult refuse(const char* call, u64 address, const char* why) {
    return host_fault(FaultKind::bad_argument, CUDA_ERROR_INVALID_VALUE, address, "%s: %s", call, why);
}

static bool is_device_memory(const CUmemAllocationProp* properties) {
    return properties != nullptr && properties->type == CU_MEM_ALLOCATION_TYPE_PINNED && properties->location.type == CU_MEM_LOCATION_TYPE_DEVICE &&
           properties->location.id == 0;
}

// The memory goes when it is neither mapped nor held.
static void drop_if_unused(std::map<u64, Chunk>::iterator chunk) {
    if (!chunk->second.released || chunk->second.address != 0)
        return;
    AddressSpace::instance().count(-(int64_t)chunk->second.bytes);
    chunks().erase(chunk);
}

extern "C" {

CUresult cuMemGetAllocationGranularity(size_t* granularity, const CUmemAllocationProp* properties, CUmemAllocationGranularity_flags) {
    BEGIN_CALL();
    if (granularity == nullptr || !is_device_memory(properties))
        return CUDA_ERROR_INVALID_VALUE;
    *granularity = kGranularity;
    return CUDA_SUCCESS;
}

CUresult cuMemAddressReserve(CUdeviceptr* address, size_t bytes, size_t alignment, CUdeviceptr wanted, unsigned long long flags) {
    BEGIN_CALL();
    if (address == nullptr || bytes == 0 || bytes % kGranularity != 0 || alignment > kGranularity || wanted != 0 || flags != 0)
        return refuse("cuMemAddressReserve", 0, "expected a size of whole granules, no wanted address and no flags");
    *address = AddressSpace::instance().reserve_addresses(bytes);
    return *address == 0 ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

CUresult cuMemAddressFree(CUdeviceptr address, size_t bytes) {
    BEGIN_CALL();
    AddressSpace& space = AddressSpace::instance();
    Allocation* reservation = space.reservation_of(address);
    if (reservation == nullptr || reservation->base != address || reservation->reserved != bytes)
        return refuse("cuMemAddressFree", address, "not a whole reservation");
    for (const auto& [handle, chunk] : chunks())
        if (chunk.address >= address && chunk.address < address + bytes)
            return refuse("cuMemAddressFree", address, "memory is still mapped there");
    space.release(*reservation);
    return CUDA_SUCCESS;
}

CUresult cuMemCreate(CUmemGenericAllocationHandle* handle, size_t bytes, const CUmemAllocationProp* properties, unsigned long long flags) {
    BEGIN_CALL();
    if (handle == nullptr || flags != 0 || !is_device_memory(properties) || bytes == 0 || bytes % kGranularity != 0)
        return refuse("cuMemCreate", 0, "expected device memory of whole granules");
    AddressSpace& space = AddressSpace::instance();
    if (bytes > Configuration::instance().memory_bytes - space.device_bytes_in_use())
        return CUDA_ERROR_OUT_OF_MEMORY;
    space.count((int64_t)bytes);
    *handle = next_handle++;
    chunks()[*handle] = {bytes};
    return CUDA_SUCCESS;
}

CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
    BEGIN_CALL();
    const auto chunk = chunks().find(handle);
    if (chunk == chunks().end() || chunk->second.released)
        return refuse("cuMemRelease", handle, "no such memory");
    chunk->second.released = true;
    drop_if_unused(chunk);
    return CUDA_SUCCESS;
}

CUresult cuMemMap(CUdeviceptr address, size_t bytes, size_t offset, CUmemGenericAllocationHandle handle, unsigned long long flags) {
    BEGIN_CALL();
    if (const CUresult refused = Runtime::instance().refuse_in_capture("cuMemMap"))
        return refused;
    const auto chunk = chunks().find(handle);
    if (offset != 0 || flags != 0 || chunk == chunks().end() || chunk->second.released || chunk->second.bytes != bytes || chunk->second.address != 0)
        return refuse("cuMemMap", address, "expected the whole of memory that is not mapped");
    AddressSpace& space = AddressSpace::instance();
    Allocation* reservation = space.reservation_of(address);
    if (reservation == nullptr || address % kGranularity != reservation->base % kGranularity || address - reservation->base + bytes > reservation->reserved)
        return refuse("cuMemMap", address, "the range is not reserved");
    u64 end = reservation->base;
    for (const auto& [other, mapped] : chunks()) {
        if (mapped.address < reservation->base || mapped.address >= reservation->base + reservation->reserved)
            continue;
        if (address < mapped.address + mapped.bytes && mapped.address < address + bytes)
            return refuse("cuMemMap", address, "memory is mapped there already");
        end = mapped.address + mapped.bytes > end ? mapped.address + mapped.bytes : end;
    }
    if (address != end)
        return host_fault(FaultKind::unsupported, CUDA_ERROR_NOT_SUPPORTED, address, "cuMemMap that leaves a gap is not emulated");
    chunk->second.address = address;
    return CUDA_SUCCESS;
}

CUresult cuMemSetAccess(CUdeviceptr address, size_t bytes, const CUmemAccessDesc* access, size_t count) {
    BEGIN_CALL();
    if (access == nullptr || count != 1 || access->location.type != CU_MEM_LOCATION_TYPE_DEVICE || access->location.id != 0 ||
        access->flags != CU_MEM_ACCESS_FLAGS_PROT_READWRITE)
        return refuse("cuMemSetAccess", address, "expected reading and writing by device 0");
    for (auto& [handle, chunk] : chunks()) {
        if (chunk.address != address || chunk.bytes != bytes || chunk.accessible)
            continue;
        chunk.accessible = true;
        AddressSpace::instance().extend(*AddressSpace::instance().reservation_of(address), bytes);
        return CUDA_SUCCESS;
    }
    return refuse("cuMemSetAccess", address, "not the whole of memory that is mapped");
}

// Does not wait, as the driver's does not: work under way that uses the memory is a fault of the host.
CUresult cuMemUnmap(CUdeviceptr address, size_t bytes) {
    BEGIN_CALL();
    if (const CUresult refused = Runtime::instance().refuse_in_capture("cuMemUnmap"))
        return refused;
    for (auto chunk = chunks().begin(); chunk != chunks().end(); ++chunk) {
        if (chunk->second.address != address || chunk->second.bytes != bytes)
            continue;
        AddressSpace& space = AddressSpace::instance();
        if (chunk->second.accessible)
            space.retract(*space.reservation_of(address), address, bytes);
        chunk->second.address = 0;
        chunk->second.accessible = false;
        drop_if_unused(chunk);
        return CUDA_SUCCESS;
    }
    return refuse("cuMemUnmap", address, "not the whole of memory that is mapped");
}

}
