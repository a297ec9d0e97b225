// Allocations, copies, fills.
#include <cstring>
#include "configuration.h"
#include "driver/runtime.h"
#include "watch/address_space.h"

using namespace emulation;

static CUresult allocate(u64 bytes, MemoryKind kind, u64* address) {
    if (address == nullptr || bytes == 0)
        return CUDA_ERROR_INVALID_VALUE;
    AddressSpace& space = AddressSpace::instance();
    if (kind == MemoryKind::device && bytes > Configuration::instance().memory_bytes - space.device_bytes_in_use())
        return CUDA_ERROR_OUT_OF_MEMORY;
    *address = space.allocate(bytes, kind);
    return *address == 0 ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

// As the driver does, a free waits for everything that is under way.
static CUresult release(u64 address, MemoryKind kind, const char* call) {
    if (address == 0)
        return CUDA_SUCCESS;
    AddressSpace& space = AddressSpace::instance();
    Allocation* allocation = space.starting_at(address);
    if (allocation == nullptr || allocation->kind != kind) {
        const Allocation* near = space.nearest(address);
        const bool again = near != nullptr && near->freed && near->base == address;
        return host_fault(again ? FaultKind::double_free : FaultKind::bad_argument, CUDA_ERROR_INVALID_VALUE, address, "%s of %s%s", call,
                          space.describe(address, 1).c_str(), again ? "" : ", which is not the beginning of such an allocation");
    }
    Runtime::instance().synchronise_all();
    space.release(*space.starting_at(address));
    return CUDA_SUCCESS;
}

// Null: the range lies in one living allocation.
static CUresult check_range(const char* call, u64 address, u64 bytes) {
    const AddressSpace& space = AddressSpace::instance();
    if (bytes == 0 || space.accessible(address, bytes))
        return CUDA_SUCCESS;
    const Allocation* near = space.nearest(address);
    const bool freed = near != nullptr && near->freed && address < near->base + near->bytes;
    return host_fault(freed ? FaultKind::use_after_free : FaultKind::out_of_bounds, CUDA_ERROR_INVALID_VALUE, address, "%s of %llu bytes: %s", call,
                      (unsigned long long)bytes, space.describe(address, (u32)(bytes < 1u << 31 ? bytes : 1u << 31)).c_str());
}

static bool is_pinned(u64 address) {
    return AddressSpace::instance().contains(address);
}

static CUresult copy(const char* call, Direction direction, u64 destination, u64 source, u64 bytes, CUstream handle, bool synchronous) {
    Runtime& runtime = Runtime::instance();
    const StreamPointer stream = runtime.find(handle);
    if (stream == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (synchronous)
        if (const CUresult refused = runtime.refuse_in_capture(call))
            return refused;
    const u64 host_side = direction == Direction::to_host ? destination : direction == Direction::to_device ? source : 0;
    if (direction != Direction::to_host || is_pinned(destination))
        if (const CUresult refused = check_range(call, destination, bytes))
            return refused;
    if (direction != Direction::to_device || is_pinned(source))
        if (const CUresult refused = check_range(call, source, bytes))
            return refused;
    if (host_side == 0 && direction != Direction::within_device && bytes > 0)
        return CUDA_ERROR_INVALID_VALUE;
    const bool pageable = direction != Direction::within_device && !is_pinned(host_side);
    if (pageable && stream->capture != nullptr)
        return host_fault(FaultKind::bad_argument, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, host_side,
                          "%s captured with pageable host memory, which a replay would still use: allocate it with cuMemHostAlloc", call);
    auto work = std::make_shared<CopyWork>();
    work->direction = direction;
    work->destination = destination;
    work->source = source;
    work->bytes = bytes;
    if (pageable && direction == Direction::to_device)
        work->snapshot.assign((const u8*)source, (const u8*)source + bytes);
    const CUresult result = runtime.enqueue(stream, work);
    // To pageable memory the driver returns only when the bytes are there.
    if (result != CUDA_SUCCESS || !(synchronous || (pageable && direction == Direction::to_host)))
        return result;
    const CUresult finished = runtime.synchronise(stream, stream->given);
    runtime.host_knows(stream->known);
    return finished;
}

static CUresult fill(u64 destination, u64 count, u32 value, u32 element_bytes, CUstream handle) {
    Runtime& runtime = Runtime::instance();
    const StreamPointer stream = runtime.find(handle);
    if (stream == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (destination % element_bytes != 0)
        return host_fault(FaultKind::misaligned_address, CUDA_ERROR_INVALID_VALUE, destination, "a fill of %u-byte elements at 0x%llx", element_bytes,
                          (unsigned long long)destination);
    if (const CUresult refused = check_range("cuMemset", destination, count * element_bytes))
        return refused;
    auto work = std::make_shared<FillWork>();
    work->destination = destination;
    work->count = count;
    work->value = value;
    work->element_bytes = element_bytes;
    return runtime.enqueue(stream, work);
}

extern "C" {

CUresult cuMemGetInfo_v2(size_t* free, size_t* total) {
    BEGIN_CALL();
    if (free == nullptr || total == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    *total = Configuration::instance().memory_bytes;
    *free = *total - AddressSpace::instance().device_bytes_in_use();
    return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) {
    BEGIN_CALL();
    if (const CUresult refused = Runtime::instance().refuse_in_capture("cuMemAlloc"))
        return refused;
    u64 made = 0;
    const CUresult result = address == nullptr ? CUDA_ERROR_INVALID_VALUE : allocate(bytes, MemoryKind::device, &made);
    if (result == CUDA_SUCCESS)
        *address = made;
    return result;
}

CUresult cuMemFree_v2(CUdeviceptr address) {
    BEGIN_CALL();
    if (const CUresult refused = Runtime::instance().refuse_in_capture("cuMemFree"))
        return refused;
    return release(address, MemoryKind::device, "cuMemFree");
}

CUresult cuMemHostAlloc(void** address, size_t bytes, unsigned) {
    BEGIN_CALL();
    return allocate(bytes, MemoryKind::pinned, (u64*)address);
}

CUresult cuMemFreeHost(void* address) {
    BEGIN_CALL();
    return release((u64)address, MemoryKind::pinned, "cuMemFreeHost");
}

CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* device, void* host, unsigned flags) {
    BEGIN_CALL();
    if (device == nullptr || flags != 0)
        return CUDA_ERROR_INVALID_VALUE;
    const AddressSpace& space = AddressSpace::instance();
    if (!space.accessible((u64)host, 1) || space.nearest((u64)host)->kind != MemoryKind::pinned)
        return host_fault(FaultKind::bad_argument, CUDA_ERROR_INVALID_VALUE, (u64)host, "cuMemHostGetDevicePointer of memory that is not pinned");
    *device = (CUdeviceptr)host;
    return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr destination, const void* source, size_t bytes, CUstream stream) {
    BEGIN_CALL();
    return copy("cuMemcpyHtoDAsync", Direction::to_device, destination, (u64)source, bytes, stream, false);
}

CUresult cuMemcpyDtoHAsync_v2(void* destination, CUdeviceptr source, size_t bytes, CUstream stream) {
    BEGIN_CALL();
    return copy("cuMemcpyDtoHAsync", Direction::to_host, (u64)destination, source, bytes, stream, false);
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr destination, CUdeviceptr source, size_t bytes, CUstream stream) {
    BEGIN_CALL();
    return copy("cuMemcpyDtoDAsync", Direction::within_device, destination, source, bytes, stream, false);
}

CUresult cuMemcpyHtoD_v2(CUdeviceptr destination, const void* source, size_t bytes) {
    BEGIN_CALL();
    return copy("cuMemcpyHtoD", Direction::to_device, destination, (u64)source, bytes, nullptr, true);
}

CUresult cuMemcpyDtoH_v2(void* destination, CUdeviceptr source, size_t bytes) {
    BEGIN_CALL();
    return copy("cuMemcpyDtoH", Direction::to_host, (u64)destination, source, bytes, nullptr, true);
}

CUresult cuMemsetD8Async(CUdeviceptr destination, unsigned char value, size_t count, CUstream stream) {
    BEGIN_CALL();
    return fill(destination, count, value, 1, stream);
}

CUresult cuMemsetD16Async(CUdeviceptr destination, unsigned short value, size_t count, CUstream stream) {
    BEGIN_CALL();
    return fill(destination, count, value, 2, stream);
}

CUresult cuMemsetD32Async(CUdeviceptr destination, unsigned value, size_t count, CUstream stream) {
    BEGIN_CALL();
    return fill(destination, count, value, 4, stream);
}

// In the order of the stream, so simply now: the free waits as any other.
CUresult cuMemAllocAsync(CUdeviceptr* address, size_t bytes, CUstream stream) {
    BEGIN_CALL();
    if (Runtime::instance().find(stream) == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    return allocate(bytes, MemoryKind::device, (u64*)address);
}

CUresult cuMemFreeAsync(CUdeviceptr address, CUstream stream) {
    BEGIN_CALL();
    if (Runtime::instance().find(stream) == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    return release(address, MemoryKind::device, "cuMemFreeAsync");
}

}
