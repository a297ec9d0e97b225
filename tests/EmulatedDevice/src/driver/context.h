// The one device's primary context, and which threads have made it current.
#pragma once
#include "driver/cuda_types.h"

namespace emulation {

CUcontext primary_context();
bool context_is_current();

}
