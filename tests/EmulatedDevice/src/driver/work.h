// What a stream does, one thing after the other.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>
#include "driver/cuda_types.h"
#include "execution/block.h"

namespace emulation {

// For each stream, the last thing it did that is in order before something.
using Known = std::unordered_map<u64, u64>;

void join(Known& known, const Known& more);

// When a work is done: in which stream, as which of its works, after what.
struct Turn {
    u64 stream;
    u64 sequence;
    const Known& known;
};

class Work {
public:
    virtual ~Work() = default;
    virtual CUgraphNodeType type() const = 0;
    virtual std::optional<Fault> execute(const Turn& turn) const = 0;

    // Host memory that belongs to the work from now until it is done.
    virtual void guard() const {}
    virtual void unguard() const {}
};

using WorkPointer = std::shared_ptr<const Work>;

class KernelWork : public Work {
public:
    Launch launch;
    CUfunction function = nullptr;
    std::vector<void*> parameters;      // into launch.arguments

    CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_KERNEL; }
    std::optional<Fault> execute(const Turn& turn) const override;
};

enum class Direction { to_device, to_host, within_device };

class CopyWork : public Work {
public:
    Direction direction;
    u64 destination;
    u64 source;
    u64 bytes;
    std::vector<u8> snapshot;       // of pageable host memory, which the driver takes before it returns

    CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_MEMCPY; }
    std::optional<Fault> execute(const Turn& turn) const override;
    void guard() const override;
    void unguard() const override;
};

class FillWork : public Work {
public:
    u64 destination;
    u64 count;
    u32 value;
    u32 element_bytes;

    CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_MEMSET; }
    std::optional<Fault> execute(const Turn& turn) const override;
};

class HostWork : public Work {
public:
    CUhostFn function;
    void* data;

    CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_HOST; }
    std::optional<Fault> execute(const Turn& turn) const override;
};

// Nothing but a place in the order: events, the nodes of a captured fork or join.
class EmptyWork : public Work {
public:
    CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_EMPTY; }
    std::optional<Fault> execute(const Turn&) const override { return std::nullopt; }
};

class GraphWork : public Work {
public:
    std::vector<WorkPointer> nodes;

    CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_GRAPH; }
    std::optional<Fault> execute(const Turn& turn) const override;
    void guard() const override;
    void unguard() const override;
};

}
