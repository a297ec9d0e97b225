// From an address in a kernel object, or a call's site, to "file:line".
#pragma once
#include <string>
#include "emulated/seam.h"

namespace emulation {

// " at normalization/rms_norm.cu:42", by addr2line from the object's debug information; of inlined calls the innermost place outside ptx/.
// Empty where the tool or the information is missing.
std::string place_of(const void* return_address);

std::string place_of_site(emulated_site site);

// Whether two sites are the same place of the source; a compiler may have copied the code.
bool same_site(emulated_site a, emulated_site b);

}
