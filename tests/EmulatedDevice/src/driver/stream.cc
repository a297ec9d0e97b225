// Streams and their capture.
#include <algorithm>
#include "driver/graph.h"
#include "driver/runtime.h"

using namespace emulation;

static CUresult create(CUstream* handle, unsigned flags, int priority) {
    if (handle == nullptr || flags > CU_STREAM_NON_BLOCKING)
        return CUDA_ERROR_INVALID_VALUE;
    *handle = (CUstream)Runtime::instance().create_stream(flags == CU_STREAM_DEFAULT, priority).get();
    return CUDA_SUCCESS;
}

static CUresult invalidate(const StreamPointer& stream, const char* call) {
    stream->capture->invalid = true;
    return host_fault(FaultKind::bad_argument, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, 0, "%s on a stream that is capturing", call);
}

// Streams that took part in the capture by events and never came back to its origin.
static bool unjoined(const Capture& capture) {
    for (const std::weak_ptr<Stream>& weak : capture.joined)
        if (const StreamPointer stream = weak.lock())
            for (const size_t node : stream->capture_tail) {
                const std::vector<size_t>& tail = capture.origin->capture_tail;
                std::vector<size_t> reached = tail;
                for (size_t i = 0; i < reached.size(); i++)
                    for (const size_t before : capture.graph.nodes[reached[i]].after)
                        if (std::find(reached.begin(), reached.end(), before) == reached.end())
                            reached.push_back(before);
                if (std::find(reached.begin(), reached.end(), node) == reached.end())
                    return true;
            }
    return false;
}

extern "C" {

CUresult cuStreamCreate(CUstream* stream, unsigned flags) {
    BEGIN_CALL();
    return create(stream, flags, 0);
}

CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int priority) {
    BEGIN_CALL();
    return create(stream, flags, priority);
}

CUresult cuStreamDestroy_v2(CUstream stream) {
    BEGIN_CALL();
    return Runtime::instance().destroy_stream(stream) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuStreamSynchronize(CUstream handle) {
    BEGIN_CALL();
    Runtime& runtime = Runtime::instance();
    const StreamPointer stream = runtime.find(handle);
    if (stream == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (stream->capture != nullptr)
        return invalidate(stream, "cuStreamSynchronize");
    const CUresult result = runtime.synchronise(stream, stream->given);
    runtime.host_knows(stream->known);
    return result;
}

// Each question does one work, so that a loop of questions ends.
CUresult cuStreamQuery(CUstream handle) {
    BEGIN_CALL();
    Runtime& runtime = Runtime::instance();
    const StreamPointer stream = runtime.find(handle);
    if (stream == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (stream->capture != nullptr)
        return invalidate(stream, "cuStreamQuery");
    if (!runtime.finished(stream, stream->given)) {
        runtime.step(stream);
        return runtime.sticky != CUDA_SUCCESS ? runtime.sticky : CUDA_ERROR_NOT_READY;
    }
    runtime.host_knows(stream->known);
    return CUDA_SUCCESS;
}

CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
    BEGIN_CALL();
    Runtime& runtime = Runtime::instance();
    const StreamPointer stream = runtime.find(handle);
    if (stream == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (stream == runtime.null_stream())
        return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
    if (stream->capture != nullptr)
        return CUDA_ERROR_ILLEGAL_STATE;
    stream->capture = std::make_shared<Capture>();
    stream->capture->origin = stream;
    stream->capture->mode = mode;
    stream->capture_tail.clear();
    runtime.captures++;
    return CUDA_SUCCESS;
}

CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph) {
    BEGIN_CALL();
    Runtime& runtime = Runtime::instance();
    const StreamPointer stream = runtime.find(handle);
    if (stream == nullptr || graph == nullptr)
        return stream == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE;
    if (stream->capture == nullptr)
        return CUDA_ERROR_ILLEGAL_STATE;
    if (stream->capture->origin != stream)
        return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
    const std::shared_ptr<Capture> capture = stream->capture;
    const bool loose = unjoined(*capture);
    for (const std::weak_ptr<Stream>& weak : capture->joined)
        if (const StreamPointer joined = weak.lock())
            joined->capture = nullptr;
    stream->capture = nullptr;
    capture->origin = nullptr;
    runtime.captures--;
    *graph = nullptr;
    if (capture->invalid)
        return CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
    if (loose)
        return host_fault(FaultKind::bad_argument, CUDA_ERROR_STREAM_CAPTURE_UNJOINED, 0, "a capture ends while a stream that joined it has not come back");
    *graph = register_graph(std::make_unique<Graph>(std::move(capture->graph)));
    return CUDA_SUCCESS;
}

CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus* status) {
    BEGIN_CALL();
    const StreamPointer stream = Runtime::instance().find(handle);
    if (stream == nullptr || status == nullptr)
        return stream == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE;
    *status = stream->capture == nullptr ? CU_STREAM_CAPTURE_STATUS_NONE
        : stream->capture->invalid ? CU_STREAM_CAPTURE_STATUS_INVALIDATED : CU_STREAM_CAPTURE_STATUS_ACTIVE;
    return CUDA_SUCCESS;
}

CUresult cuStreamGetCaptureInfo_v2(CUstream stream, CUstreamCaptureStatus* status, uint64_t* id, CUgraph*, const CUgraphNode**, size_t*) {
    if (id != nullptr)
        *id = 1;
    return cuStreamIsCapturing(stream, status);
}

CUresult cuStreamSetAttribute(CUstream handle, int, const void*) {
    BEGIN_CALL();
    return Runtime::instance().find(handle) == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

CUresult cuLaunchHostFunc(CUstream handle, CUhostFn function, void* data) {
    BEGIN_CALL();
    const StreamPointer stream = Runtime::instance().find(handle);
    if (stream == nullptr || function == nullptr)
        return stream == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE;
    auto work = std::make_shared<HostWork>();
    work->function = function;
    work->data = data;
    return Runtime::instance().enqueue(stream, work);
}

}
