#include "hopper/tensor_map.h"
#include <cstring>
#include "configuration.h"
#include "driver/runtime.h"

namespace emulation {

static constexpr u64 kMagic = 0x70616D726F736E54ull;
static constexpr u32 kAlignment = 64;

const TensorMap* TensorMap::at(const void* memory) {
    const auto* map = (const TensorMap*)memory;
    return (u64)memory % kAlignment == 0 && map->magic == kMagic ? map : nullptr;
}

u32 TensorMap::box_bytes() const {
    u32 bytes = element_bytes;
    for (u32 i = 0; i < rank; i++)
        bytes *= box[i];
    return bytes;
}

// Elements [first, first + count) of a row that begins at the coordinate: which of them exist.
static void clip(const TensorMap& map, i64 first, u32 count, bool row_exists, u64 row, BoxChunk& chunk) {
    const i64 size = (i64)map.sizes[0];
    const i64 begin = first < 0 ? -first : 0, end = size - first < (i64)count ? size - first : (i64)count;
    if (!row_exists || begin >= end)
        return;
    chunk.skip = (u8)(begin * map.element_bytes);
    chunk.count = (u8)((end - begin) * map.element_bytes);
    chunk.global = row + (u64)(first + begin) * map.element_bytes;
}

std::vector<BoxChunk> chunks_of_box(const TensorMap& map, const int* coordinates, u32 shared_address) {
    const u32 row_bytes = (u32)map.box[0] * map.element_bytes, per_chunk = 16 / map.element_bytes;
    std::vector<BoxChunk> chunks;
    chunks.reserve(map.box_bytes() / 16);
    u32 rows = 1, at[kMostDimensions] = {};
    for (u32 i = 1; i < map.rank; i++)
        rows *= map.box[i];
    for (u32 row = 0; row < rows; row++) {
        bool exists = true;
        u64 begin = map.address;
        for (u32 i = 1; i < map.rank; i++) {
            const i64 coordinate = (i64)coordinates[i] + at[i];
            exists &= coordinate >= 0 && coordinate < (i64)map.sizes[i];
            begin += (u64)coordinate * map.strides[i - 1];
        }
        for (u32 byte = 0; byte < row_bytes; byte += 16) {
            BoxChunk chunk{swizzled(shared_address + row * row_bytes + byte, map.swizzle_bytes), 0, 0, 0};
            clip(map, (i64)coordinates[0] + byte / map.element_bytes, per_chunk, exists, begin, chunk);
            chunks.push_back(chunk);
        }
        for (u32 i = 1; i < map.rank && ++at[i] == map.box[i]; i++)
            at[i] = 0;
    }
    return chunks;
}

}

using namespace emulation;

static CUresult refuse(const std::string& message) {
    return host_fault(FaultKind::bad_tensor_map, CUDA_ERROR_INVALID_VALUE, 0, "cuTensorMapEncodeTiled: %s", message.c_str());
}

static CUresult unsupported(const char* what) {
    return host_fault(FaultKind::unsupported, CUDA_ERROR_NOT_SUPPORTED, 0, "cuTensorMapEncodeTiled: %s is not emulated", what);
}

static u32 element_bytes_of(int type) {
    static constexpr u8 bytes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4};
    return type >= 0 && type < (int)sizeof bytes ? bytes[type] : 0;
}

// What the driver refuses, and rows that overlap: strides in elements where bytes are meant.
static CUresult check_sizes(const TensorMap& map, const u64* sizes, const u64* strides, const u32* box, const u32* steps) {
    constexpr u64 kMostSize = 1ull << 32, kMostStride = 1ull << 40;
    for (u32 i = 0; i < map.rank; i++) {
        if (sizes[i] == 0 || sizes[i] > kMostSize)
            return refuse(text("dimension %u has %llu elements: 1 to 2^32 are possible", i, (unsigned long long)sizes[i]));
        if (box[i] == 0 || box[i] > 256)
            return refuse(text("the box has %u elements in dimension %u: 1 to 256 are possible", box[i], i));
        if (steps[i] != 1)
            return unsupported("an element stride other than 1");
    }
    for (u32 i = 0; i + 1 < map.rank; i++) {
        if (strides[i] % 16 != 0 || strides[i] >= kMostStride)
            return refuse(text("the stride of dimension %u is %llu bytes: multiples of 16 below 2^40 are possible", i + 1, (unsigned long long)strides[i]));
        if (strides[i] < sizes[0] * map.element_bytes)
            return refuse(text("the stride of dimension %u is %llu bytes, less than a row of %llu elements of %u bytes: strides are in bytes, sizes begin with "
                               "the innermost", i + 1, (unsigned long long)strides[i], (unsigned long long)sizes[0], map.element_bytes));
    }
    const u32 row_bytes = box[0] * map.element_bytes;
    if (row_bytes % 16 != 0)
        return refuse(text("a row of the box has %u bytes, which is no multiple of 16", row_bytes));
    if (map.swizzle_bytes != 0 && row_bytes > map.swizzle_bytes)
        return refuse(text("a row of the box has %u bytes, more than the swizzle's %u", row_bytes, map.swizzle_bytes));
    return CUDA_SUCCESS;
}

extern "C" CUresult cuTensorMapEncodeTiled(void* memory, int type, u32 rank, void* address, const u64* sizes, const u64* strides,
                                           const u32* box, const u32* steps, int interleave, int swizzle, int promotion, int fill) {
    BEGIN_CALL();
    if (memory == nullptr || sizes == nullptr || box == nullptr || steps == nullptr || (rank > 1 && strides == nullptr))
        return CUDA_ERROR_INVALID_VALUE;
    if (Configuration::instance().architecture < 90)
        return host_fault(FaultKind::unsupported, CUDA_ERROR_NOT_SUPPORTED, 0, "cuTensorMapEncodeTiled: tensor maps need sm_90");
    if ((u64)memory % kAlignment != 0)
        return refuse(text("the map lies at 0x%llx, which is no multiple of 64", (unsigned long long)(u64)memory));
    if (rank == 0 || rank > kMostDimensions)
        return refuse(text("rank %u: 1 to 5 are possible", rank));
    if ((u64)address % 16 != 0 || address == nullptr)
        return refuse(text("the tensor lies at 0x%llx, which is no multiple of 16", (unsigned long long)(u64)address));
    if (element_bytes_of(type) == 0 || swizzle < 0 || swizzle > 3 || promotion < 0 || promotion > 3)
        return refuse(text("type %d, swizzle %d, L2 promotion %d: one of them does not exist", type, swizzle, promotion));
    if (interleave != 0)
        return unsupported("interleaving");
    if (fill != 0)
        return unsupported("a fill that is no number");
    static constexpr u8 kSwizzleBytes[] = {0, 32, 64, 128};
    TensorMap map{};
    map.magic = kMagic;
    map.address = (u64)address;
    map.rank = (u8)rank;
    map.element_bytes = (u8)element_bytes_of(type);
    map.swizzle_bytes = kSwizzleBytes[swizzle];
    if (const CUresult refused = check_sizes(map, sizes, strides, box, steps))
        return refused;
    for (u32 i = 0; i < rank; i++) {
        map.sizes[i] = sizes[i];
        map.box[i] = (u16)box[i];
        if (i + 1 < rank)
            map.strides[i] = strides[i];
    }
    std::memset(memory, 0, 128);
    std::memcpy(memory, &map, sizeof map);
    return CUDA_SUCCESS;
}
