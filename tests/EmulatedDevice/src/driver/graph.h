// Captured graphs and what is made of them.
#pragma once
#include <memory>
#include "driver/runtime.h"

namespace emulation {

// The graph belongs to the list of living graphs from now on.
CUgraph register_graph(std::unique_ptr<Graph> graph);

}
