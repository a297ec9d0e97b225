#include "driver/runtime.h"
#include <algorithm>
#include <chrono>
#include <pthread.h>
#include <thread>
#include "configuration.h"
#include "driver/host_guard.h"

namespace emulation {

extern pthread_t executing_thread;

static u64 milliseconds_now() {
    return (u64)std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static double precise_milliseconds() {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Runtime& Runtime::instance() {
    static Runtime* runtime = new Runtime();
    return *runtime;
}

Runtime::Runtime() {
    legacy = create_stream(true, 0);
}

StreamPointer Runtime::find(CUstream handle) {
    if ((u64)handle <= 2)
        return legacy;
    for (const StreamPointer& stream : streams)
        if (stream.get() == (Stream*)handle)
            return stream;
    return nullptr;
}

StreamPointer Runtime::create_stream(bool blocking, int priority) {
    auto stream = std::make_shared<Stream>();
    stream->id = next_stream++;
    stream->blocking = blocking;
    stream->priority = priority;
    streams.push_back(stream);
    return stream;
}

bool Runtime::destroy_stream(CUstream handle) {
    const StreamPointer stream = find(handle);
    if (stream == nullptr || stream == legacy)
        return false;
    advance(stream, stream->given);
    streams.erase(std::find(streams.begin(), streams.end(), stream));
    return true;
}

// A blocking stream and the null stream wait for each other at every call.
void Runtime::order_with_null_stream(const StreamPointer& stream) {
    if (!stream->blocking)
        return;
    for (const StreamPointer& other : streams)
        if (other != stream && other->blocking && (stream == legacy || other == legacy) && other->given > 0)
            wait_for(stream, other, other->given, other->known);
}

void Runtime::wait_for(const StreamPointer& stream, const StreamPointer& other, u64 sequence, const Known& known) {
    join(stream->known, known);
    if (!finished(other, sequence)) {
        Stream::Entry entry{std::make_shared<EmptyWork>(), stream->known, other, sequence, nullptr};
        stream->given++;
        stream->known[stream->id] = stream->given;
        stream->waiting.push_back(std::move(entry));
    }
}

CUresult Runtime::enqueue(const StreamPointer& stream, WorkPointer work, EventPointer event) {
    if (stream->capture != nullptr) {
        std::vector<GraphNode>& nodes = stream->capture->graph.nodes;
        nodes.push_back({std::move(work), stream->capture_tail});
        stream->capture_tail = {nodes.size() - 1};
        return CUDA_SUCCESS;
    }
    order_with_null_stream(stream);
    join(stream->known, host_known);
    Stream::Entry entry{std::move(work), stream->known, nullptr, 0, std::move(event)};
    stream->given++;
    stream->known[stream->id] = stream->given;
    if (sticky == CUDA_SUCCESS)
        entry.work->guard();
    stream->waiting.push_back(std::move(entry));
    touch_clock();
    return CUDA_SUCCESS;
}

bool Runtime::step(const StreamPointer& stream) {
    if (stream->waiting.empty())
        return true;
    Stream::Entry entry = std::move(stream->waiting.front());
    stream->waiting.pop_front();
    if (entry.wait_stream != nullptr)
        advance(entry.wait_stream, entry.wait_sequence);
    entry.work->unguard();
    const u64 sequence = stream->done + 1;
    if (sticky == CUDA_SUCCESS) {
        executing_thread = pthread_self();
        if (std::optional<Fault> fault = entry.work->execute({stream->id, sequence, entry.known})) {
            sticky = result_of(fault->kind);
            fault_log().add(std::move(*fault));
        }
    }
    if (entry.event != nullptr)
        entry.event->milliseconds = precise_milliseconds();
    stream->done = sequence;
    return stream->waiting.empty();
}

void Runtime::advance(const StreamPointer& stream, u64 sequence) {
    while (stream->done < sequence && !stream->waiting.empty())
        step(stream);
}

CUresult Runtime::synchronise(const StreamPointer& stream, u64 sequence) {
    advance(stream, sequence);
    HostGuard::instance().report();
    return sticky;
}

CUresult Runtime::synchronise_all() {
    for (size_t i = 0; i < streams.size(); i++) {
        advance(streams[i], streams[i]->given);
        join(host_known, streams[i]->known);
    }
    HostGuard::instance().report();
    return sticky;
}

CUresult Runtime::refuse_in_capture(const char* name) {
    for (const StreamPointer& stream : streams)
        if (stream->capture != nullptr && stream->capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED) {
            stream->capture->invalid = true;
            return host_fault(FaultKind::bad_argument, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, 0, "%s while a stream is capturing", name);
        }
    return CUDA_SUCCESS;
}

void Runtime::reset() {
    for (const StreamPointer& stream : streams) {
        for (const Stream::Entry& entry : stream->waiting)
            entry.work->unguard();
        stream->waiting.clear();
        stream->done = stream->given;
        stream->capture = nullptr;
    }
    captures = 0;
    HostGuard::instance().report();
    sticky = CUDA_SUCCESS;
    fault_log().clear();
}

// For a host that polls memory and calls nothing: what waits begins by itself after a while.
void Runtime::touch_clock() {
    last_call = milliseconds_now();
    if (flusher_runs || Configuration::instance().idle_milliseconds == 0)
        return;
    flusher_runs = true;
    std::thread([this] { flush_when_idle(); }).detach();
}

void Runtime::flush_when_idle() {
    for (;;) {
        const u32 idle = std::max(1u, Configuration::instance().idle_milliseconds);
        std::this_thread::sleep_for(std::chrono::milliseconds(idle));
        const std::lock_guard guard(lock);
        if (Configuration::instance().idle_milliseconds == 0) {
            flusher_runs = false;
            return;
        }
        if (milliseconds_now() - last_call >= idle)
            for (size_t i = 0; i < streams.size(); i++)
                advance(streams[i], streams[i]->given);
    }
}

}
