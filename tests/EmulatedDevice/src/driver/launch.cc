// Kernel launches: their limits, their arguments.
#include <cstring>
#include "configuration.h"
#include "driver/device.h"
#include "driver/launch.h"
#include "driver/runtime.h"

using namespace emulation;

static CUresult refuse(const Kernel& kernel, const std::string& message, CUresult result = CUDA_ERROR_INVALID_VALUE) {
    return host_fault(FaultKind::launch_limits, result, 0, "kernel %s: %s", kernel.code->name, message.c_str());
}

static CUresult check_limits(const Kernel& kernel, const LaunchRequest& request) {
    const Dim3 grid = request.grid, block = request.block;
    if (grid.count() == 0 || block.count() == 0)
        return refuse(kernel, text("grid (%u,%u,%u), block (%u,%u,%u): no size may be 0", grid.x, grid.y, grid.z, block.x, block.y, block.z));
    if (grid.x > 0x7FFFFFFF || grid.y > 65535 || grid.z > 65535)
        return refuse(kernel, text("grid (%u,%u,%u) is over (2147483647,65535,65535)", grid.x, grid.y, grid.z));
    if (block.x > 1024 || block.y > 1024 || block.z > 64 || block.count() > 1024)
        return refuse(kernel, text("block (%u,%u,%u) is over (1024,1024,64) or 1024 threads", block.x, block.y, block.z));
    if (kernel.code->max_threads != 0 && block.count() > kernel.code->max_threads)
        return refuse(kernel, text("%llu threads, but __launch_bounds__ promises at most %u", (unsigned long long)block.count(), kernel.code->max_threads));
    if (request.dynamic_shared_bytes > (u32)kernel.max_dynamic_shared)
        return refuse(kernel, text("%u bytes of dynamic shared memory, but the kernel's attribute allows %d", request.dynamic_shared_bytes,
                                   kernel.max_dynamic_shared));
    const u64 shared = request.dynamic_shared_bytes + kernel.module->shared_bytes();
    if (shared > device_limits().shared_per_block)
        return refuse(kernel, text("%llu bytes of shared memory; a block of this device has %u", (unsigned long long)shared, device_limits().shared_per_block));
    return CUDA_SUCCESS;
}

static CUresult read_attributes(const Kernel& kernel, const CUlaunchAttribute* attributes, unsigned count, Launch& launch) {
    for (unsigned i = 0; i < count; i++) {
        const CUlaunchAttributeValue& value = attributes[i].value;
        switch (attributes[i].id) {
        case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
            if (value.programmaticStreamSerializationAllowed != 0 && Configuration::instance().architecture < 90)
                return refuse(kernel, "programmatic dependent launch needs sm_90", CUDA_ERROR_NOT_SUPPORTED);
            launch.overlaps_previous = value.programmaticStreamSerializationAllowed != 0;
            break;
        case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
            if (value.clusterDim.x * value.clusterDim.y * value.clusterDim.z != 1)
                return refuse(kernel, "clusters are not emulated yet", CUDA_ERROR_NOT_SUPPORTED);
            break;
        case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
            if (value.cooperative != 0)
                return refuse(kernel, "cooperative launches are not emulated: blocks run one after the other", CUDA_ERROR_NOT_SUPPORTED);
            break;
        default:
            if (attributes[i].id < 0 || attributes[i].id > CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT)
                return refuse(kernel, text("there is no launch attribute %d", attributes[i].id));
        }
    }
    return CUDA_SUCCESS;
}

// The arguments as one block of bytes: from `extra`, whose size must be the kernel's, or pointer by pointer.
static CUresult read_arguments(const Kernel& kernel, void** parameters, void** extra, Launch& launch) {
    const emulated_kernel& code = *kernel.code;
    launch.arguments.resize(code.argument_bytes);
    if (extra != nullptr) {
        const void* buffer = nullptr;
        size_t bytes = 0;
        for (void** entry = extra; (uintptr_t)*entry != CU_LAUNCH_PARAM_END; entry += 2) {
            if ((uintptr_t)*entry == CU_LAUNCH_PARAM_BUFFER_POINTER)
                buffer = entry[1];
            if ((uintptr_t)*entry == CU_LAUNCH_PARAM_BUFFER_SIZE)
                bytes = *(const size_t*)entry[1];
        }
        if (buffer == nullptr || bytes != code.argument_bytes)
            return host_fault(FaultKind::bad_argument, CUDA_ERROR_INVALID_VALUE, 0, "kernel %s: %zu bytes of arguments given, %u expected", code.name, bytes,
                              code.argument_bytes);
        std::memcpy(launch.arguments.data(), buffer, bytes);
        return CUDA_SUCCESS;
    }
    if (parameters == nullptr && code.parameter_count > 0)
        return host_fault(FaultKind::bad_argument, CUDA_ERROR_INVALID_VALUE, 0, "kernel %s: no arguments given, %u expected", code.name, code.parameter_count);
    for (unsigned i = 0; i < code.parameter_count; i++) {
        if (parameters[i] == nullptr)
            return host_fault(FaultKind::bad_argument, CUDA_ERROR_INVALID_VALUE, 0, "kernel %s: argument %u is null", code.name, i);
        std::memcpy(launch.arguments.data() + code.parameters[i].offset, parameters[i], code.parameters[i].bytes);
    }
    return CUDA_SUCCESS;
}

CUresult emulation::make_kernel_work(const LaunchRequest& request, std::shared_ptr<KernelWork>& work) {
    Kernel* kernel = find_kernel(request.function);
    if (kernel == nullptr)
        return host_fault(FaultKind::bad_argument, CUDA_ERROR_INVALID_HANDLE, 0, "a launch of a kernel that no loaded library has");
    if (const CUresult refused = make_ready(*kernel, "cuLaunchKernel"))
        return refused;
    auto made = std::make_shared<KernelWork>();
    Launch& launch = made->launch;
    if (const CUresult refused = check_limits(*kernel, request))
        return refused;
    if (const CUresult refused = read_attributes(*kernel, request.attributes, request.attribute_count, launch))
        return refused;
    if (const CUresult refused = read_arguments(*kernel, request.parameters, request.extra, launch))
        return refused;
    launch.name = kernel->code->name;
    launch.kernel = kernel->code;
    launch.module = kernel->module;
    launch.grid = request.grid;
    launch.block = request.block;
    launch.dynamic_shared_bytes = request.dynamic_shared_bytes;
    made->function = request.function;
    for (unsigned i = 0; i < kernel->code->parameter_count; i++)
        made->parameters.push_back(launch.arguments.data() + kernel->code->parameters[i].offset);
    work = std::move(made);
    return CUDA_SUCCESS;
}

static CUresult launch(const LaunchRequest& request, CUstream handle) {
    Runtime& runtime = Runtime::instance();
    const StreamPointer stream = runtime.find(handle);
    if (stream == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (stream == runtime.null_stream() && runtime.any_capture())
        return CUDA_ERROR_STREAM_CAPTURE_IMPLICIT;
    std::shared_ptr<KernelWork> work;
    const CUresult refused = make_kernel_work(request, work);
    return refused != CUDA_SUCCESS ? refused : runtime.enqueue(stream, std::move(work));
}

extern "C" {

CUresult cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction function, void** parameters, void** extra) {
    BEGIN_CALL();
    if (config == nullptr || (config->numAttrs > 0 && config->attrs == nullptr))
        return CUDA_ERROR_INVALID_VALUE;
    return launch({function, {config->gridDimX, config->gridDimY, config->gridDimZ}, {config->blockDimX, config->blockDimY, config->blockDimZ},
                   config->sharedMemBytes, parameters, extra, config->attrs, config->numAttrs}, config->hStream);
}

CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                        unsigned shared_bytes, CUstream stream, void** parameters, void** extra) {
    BEGIN_CALL();
    return launch({function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes, parameters, extra, nullptr, 0}, stream);
}

}
