#include "compiler/image.h"
#include <cstring>

#ifndef EMULATED_BUILD
#error "build.sh defines EMULATED_BUILD from the library's sources"
#endif

namespace emulation {

struct ImageHeader {
    char magic[8];
    u64 build;
    u32 architecture;
    u32 flags;
    u64 source_bytes;
    u64 object_bytes;
};

static constexpr char kMagic[8] = {'X', 'C', '2', 'E', 'M', 'U', '0', '1'};
static constexpr u32 kWatched = 1;
static constexpr u32 kPortable = 2;

u64 build_identity() {
    return EMULATED_BUILD;
}

std::vector<u8> Image::bytes() const {
    ImageHeader header{};
    std::memcpy(header.magic, kMagic, sizeof kMagic);
    header.build = build_identity();
    header.architecture = architecture;
    header.flags = (watched ? kWatched : 0) | (portable ? kPortable : 0);
    header.source_bytes = source.size();
    header.object_bytes = object.size();
    std::vector<u8> all(sizeof header + source.size() + object.size());
    std::memcpy(all.data(), &header, sizeof header);
    std::memcpy(all.data() + sizeof header, source.data(), source.size());
    std::memcpy(all.data() + sizeof header + source.size(), object.data(), object.size());
    return all;
}

bool Image::read(const void* memory, Image& image) {
    ImageHeader header;
    // Byte by byte: what is no image may be shorter than a header.
    for (size_t i = 0; i < sizeof kMagic; i++)
        if (((const char*)memory)[i] != kMagic[i])
            return false;
    std::memcpy(&header, memory, sizeof header);
    if (header.build != build_identity())
        return false;
    const auto* at = (const u8*)memory + sizeof header;
    image.architecture = header.architecture;
    image.watched = header.flags & kWatched;
    image.portable = header.flags & kPortable;
    image.source.assign((const char*)at, header.source_bytes);
    image.object.assign(at + header.source_bytes, at + header.source_bytes + header.object_bytes);
    return true;
}

}
