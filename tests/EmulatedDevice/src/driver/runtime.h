// The host's side of the device: streams, events, captures, and the error that sticks.
#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_set>
#include "driver/work.h"

namespace emulation {

struct Capture;
struct Event;

struct Stream {
    u64 id = 0;
    bool blocking = false;          // waits for the null stream, and it for this
    int priority = 0;
    Known known;                    // what is in order before the next work
    u64 given = 0;                  // works so far
    u64 done = 0;
    std::shared_ptr<Capture> capture;
    std::vector<size_t> capture_tail;       // nodes that the next captured one follows

    struct Entry {
        WorkPointer work;
        Known known;
        std::shared_ptr<Stream> wait_stream;        // first until it has done wait_sequence
        u64 wait_sequence = 0;
        std::shared_ptr<Event> event;               // then gets its time
    };
    std::deque<Entry> waiting;
};

using StreamPointer = std::shared_ptr<Stream>;

struct Event {
    bool timing = true;
    bool recorded = false;
    StreamPointer stream;
    u64 sequence = 0;
    Known known;
    double milliseconds = 0;
    std::shared_ptr<Capture> capture;       // recorded in a capture: a place in the graph
    std::vector<size_t> capture_tail;
};

using EventPointer = std::shared_ptr<Event>;

struct GraphNode {
    WorkPointer work;
    std::vector<size_t> after;
};

struct Graph {
    std::vector<GraphNode> nodes;
};

struct Capture {
    Graph graph;
    StreamPointer origin;
    CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
    bool invalid = false;
    std::vector<std::weak_ptr<Stream>> joined;
};

class Runtime {
public:
    static Runtime& instance();

    std::recursive_mutex lock;
    bool initialised = false;
    CUresult sticky = CUDA_SUCCESS;

    // --- Streams. 0, 1 and 2 are the null stream ---
    StreamPointer find(CUstream handle);
    StreamPointer create_stream(bool blocking, int priority);
    bool destroy_stream(CUstream handle);
    const StreamPointer& null_stream() const { return legacy; }

    // Puts work at the end of the stream, or into the graph that it is capturing.
    CUresult enqueue(const StreamPointer& stream, WorkPointer work, EventPointer event = nullptr);
    void wait_for(const StreamPointer& stream, const StreamPointer& other, u64 sequence, const Known& known);

    // --- Doing it: nothing is done before somebody waits for it ---
    CUresult synchronise(const StreamPointer& stream, u64 sequence);
    CUresult synchronise_all();
    bool step(const StreamPointer& stream);        // one work; true: there is nothing left
    bool finished(const StreamPointer& stream, u64 sequence) const { return stream->done >= sequence; }
    void host_knows(const Known& more) { join(host_known, more); }

    // A call that may not be made while any stream captures in a mode that forbids it.
    CUresult refuse_in_capture(const char* call);
    bool any_capture() const { return captures > 0; }
    u32 captures = 0;

    // Everything back to the state after cuInit, faults forgotten; allocations and modules live on.
    void reset();
    void touch_clock();

private:
    Runtime();
    void advance(const StreamPointer& stream, u64 sequence);
    void order_with_null_stream(const StreamPointer& stream);
    void flush_when_idle();

    std::vector<StreamPointer> streams;
    StreamPointer legacy;
    Known host_known;
    u64 next_stream = 1;
    u64 last_call = 0;
    bool flusher_runs = false;
};

// Locks, and answers what every call answers first: not initialised, no context, the error that sticks.
class ApiCall {
public:
    explicit ApiCall(bool needs_context = true);
    CUresult refused() const { return result; }

private:
    std::unique_lock<std::recursive_mutex> guard;
    CUresult result = CUDA_SUCCESS;
};

#define BEGIN_CALL(...)                                     \
    const ApiCall call{__VA_ARGS__};                        \
    if (call.refused() != CUDA_SUCCESS) return call.refused()

}
