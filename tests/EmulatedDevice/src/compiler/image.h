// What passes for a cubin: the preprocessed source and one object made from it.
#pragma once
#include <string>
#include <vector>
#include "numbers.h"

namespace emulation {

struct Image {
    u32 architecture = 0;       // 75, 80, ...
    bool watched = false;       // the object calls out before every load and store
    bool portable = false;      // PTX: also for newer devices
    std::string source;         // preprocessed
    std::vector<u8> object;

    std::vector<u8> bytes() const;

    // From memory whose length only the image itself knows, as the driver gets it. False: it is no image of this build.
    static bool read(const void* memory, Image& image);
};

// How the library was built: an image of another build holds other host versions of ptx/.
u64 build_identity();

}
