// Events: places in the order of streams, and times.
#include <algorithm>
#include <vector>
#include "driver/runtime.h"

using namespace emulation;

static std::vector<EventPointer> events;

static EventPointer find(CUevent handle) {
    for (const EventPointer& event : events)
        if (event.get() == (Event*)handle)
            return event;
    return nullptr;
}

static CUresult record(CUevent handle, CUstream stream_handle) {
    Runtime& runtime = Runtime::instance();
    const EventPointer event = find(handle);
    const StreamPointer stream = runtime.find(stream_handle);
    if (event == nullptr || stream == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    event->capture = stream->capture;
    event->recorded = true;
    if (stream->capture != nullptr) {
        event->capture_tail = stream->capture_tail;
        return CUDA_SUCCESS;
    }
    const CUresult result = runtime.enqueue(stream, std::make_shared<EmptyWork>(), event);
    event->stream = stream;
    event->sequence = stream->given;
    event->known = stream->known;
    return result;
}

// The stream's next captured node follows what the event stands for; a stream outside joins the capture.
static CUresult wait_in_capture(const StreamPointer& stream, const EventPointer& event) {
    if (stream->capture == nullptr) {
        stream->capture = event->capture;
        stream->capture_tail.clear();
        event->capture->joined.push_back(stream);
    }
    if (stream->capture != event->capture)
        return CUDA_ERROR_STREAM_CAPTURE_MERGE;
    for (const size_t node : event->capture_tail)
        if (std::find(stream->capture_tail.begin(), stream->capture_tail.end(), node) == stream->capture_tail.end())
            stream->capture_tail.push_back(node);
    return CUDA_SUCCESS;
}

extern "C" {

CUresult cuEventCreate(CUevent* handle, unsigned flags) {
    BEGIN_CALL();
    if (handle == nullptr || flags > 7)
        return CUDA_ERROR_INVALID_VALUE;
    auto event = std::make_shared<Event>();
    event->timing = (flags & CU_EVENT_DISABLE_TIMING) == 0;
    events.push_back(event);
    *handle = (CUevent)event.get();
    return CUDA_SUCCESS;
}

CUresult cuEventDestroy_v2(CUevent handle) {
    BEGIN_CALL();
    const EventPointer event = find(handle);
    if (event == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    events.erase(std::find(events.begin(), events.end(), event));
    return CUDA_SUCCESS;
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
    BEGIN_CALL();
    return record(event, stream);
}

CUresult cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned) {
    BEGIN_CALL();
    return record(event, stream);
}

CUresult cuStreamWaitEvent(CUstream handle, CUevent event_handle, unsigned) {
    BEGIN_CALL();
    const StreamPointer stream = Runtime::instance().find(handle);
    const EventPointer event = find(event_handle);
    if (stream == nullptr || event == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (event->capture != nullptr)
        return wait_in_capture(stream, event);
    if (stream->capture != nullptr)
        return event->recorded ? CUDA_ERROR_STREAM_CAPTURE_ISOLATION : CUDA_SUCCESS;
    if (event->stream != nullptr)
        Runtime::instance().wait_for(stream, event->stream, event->sequence, event->known);
    return CUDA_SUCCESS;
}

CUresult cuEventQuery(CUevent handle) {
    BEGIN_CALL();
    Runtime& runtime = Runtime::instance();
    const EventPointer event = find(handle);
    if (event == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (event->capture != nullptr)
        return CUDA_ERROR_CAPTURED_EVENT;
    if (event->stream == nullptr)
        return CUDA_SUCCESS;
    if (!runtime.finished(event->stream, event->sequence)) {
        runtime.step(event->stream);
        return runtime.sticky != CUDA_SUCCESS ? runtime.sticky : CUDA_ERROR_NOT_READY;
    }
    runtime.host_knows(event->known);
    return CUDA_SUCCESS;
}

CUresult cuEventSynchronize(CUevent handle) {
    BEGIN_CALL();
    Runtime& runtime = Runtime::instance();
    const EventPointer event = find(handle);
    if (event == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (event->capture != nullptr)
        return CUDA_ERROR_CAPTURED_EVENT;
    if (event->stream == nullptr)
        return CUDA_SUCCESS;
    const CUresult result = runtime.synchronise(event->stream, event->sequence);
    runtime.host_knows(event->known);
    return result;
}

CUresult cuEventElapsedTime(float* milliseconds, CUevent begin_handle, CUevent end_handle) {
    BEGIN_CALL();
    Runtime& runtime = Runtime::instance();
    const EventPointer begin = find(begin_handle), end = find(end_handle);
    if (milliseconds == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    if (begin == nullptr || end == nullptr || !begin->timing || !end->timing || begin->stream == nullptr || end->stream == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (!runtime.finished(begin->stream, begin->sequence) || !runtime.finished(end->stream, end->sequence))
        return CUDA_ERROR_NOT_READY;
    *milliseconds = (float)(end->milliseconds - begin->milliseconds);
    return CUDA_SUCCESS;
}

}
