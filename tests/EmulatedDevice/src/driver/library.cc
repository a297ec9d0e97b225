#include "driver/library.h"
#include <algorithm>
#include <cstring>
#include <fstream>
#include "compiler/host_compiler.h"
#include "configuration.h"
#include "driver/device.h"
#include "driver/jit_log.h"
#include "driver/runtime.h"

using namespace emulation;

namespace {

struct Library {
    std::unique_ptr<Module> module;
    std::vector<std::unique_ptr<Kernel>> kernels;
    JitLog log;
};

std::vector<std::unique_ptr<Library>> libraries;

template <typename Handle>
Library* find_library(Handle handle) {
    for (const auto& library : libraries)
        if (library.get() == (Library*)handle)
            return library.get();
    return nullptr;
}

CUresult check_architecture(const Image& image) {
    const u32 device = Configuration::instance().architecture;
    const bool runs = image.portable ? image.architecture <= device : image.architecture / 10 == device / 10 && image.architecture <= device;
    return runs ? CUDA_SUCCESS
                : host_fault(FaultKind::bad_argument, CUDA_ERROR_NO_BINARY_FOR_GPU, 0, "the image is for sm_%u, the device is sm_%u", image.architecture, device);
}

// What the real compiler refuses. Variables are known by module, so that of several kernels none can be accused.
CUresult check_static_shared(const Module& module) {
    if (module.table().count != 1 || module.shared_bytes() <= kSharedWithoutAsking)
        return CUDA_SUCCESS;
    return host_fault(FaultKind::launch_limits, CUDA_ERROR_INVALID_IMAGE, 0, "kernel %s: %llu bytes of static shared memory, of which a kernel may have %u",
                      module.table().kernels[0]->name, (unsigned long long)module.shared_bytes(), (u32)kSharedWithoutAsking);
}

CUresult load(const void* memory, Library** result, std::string& log) {
    Image image;
    if (memory == nullptr || !Image::read(memory, image)) {
        log = "this is no image that the emulated compiler of this build made";
        return CUDA_ERROR_INVALID_IMAGE;
    }
    if (const CUresult refused = check_architecture(image)) {
        log = fault_log().all().back().message;
        return refused;
    }
    if (image.watched != Configuration::instance().watch && !rebuild(image, Configuration::instance().watch, log))
        return CUDA_ERROR_INVALID_IMAGE;
    auto library = std::make_unique<Library>();
    library->module = Module::load(image.object, log);
    if (library->module == nullptr)
        return CUDA_ERROR_INVALID_IMAGE;
    const emulated_kernel_table& table = library->module->table();
    if (const CUresult refused = check_static_shared(*library->module)) {
        log = fault_log().all().back().message;
        return refused;
    }
    for (unsigned i = 0; i < table.count; i++) {
        auto kernel = std::make_unique<Kernel>();
        kernel->code = table.kernels[i];
        kernel->module = library->module.get();
        kernel->max_dynamic_shared = std::max(0, (int)kSharedWithoutAsking - (int)kernel->module->shared_bytes());
        library->kernels.push_back(std::move(kernel));
    }
    *result = library.get();
    libraries.push_back(std::move(library));
    return CUDA_SUCCESS;
}

CUresult unload(Library* library) {
    if (library == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    Runtime::instance().synchronise_all();
    const CUresult gone = library->log.check("cuLibraryUnload");
    libraries.erase(std::find_if(libraries.begin(), libraries.end(), [&](const auto& entry) { return entry.get() == library; }));
    return gone;
}

CUresult find_by_name(Library* library, const char* name, Kernel** result) {
    if (library == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (name == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    for (const auto& kernel : library->kernels)
        if (std::strcmp(kernel->code->name, name) == 0) {
            *result = kernel.get();
            return CUDA_SUCCESS;
        }
    return CUDA_ERROR_NOT_FOUND;
}

CUresult get_attribute(const Kernel* kernel, CUfunction_attribute attribute, int* value) {
    if (kernel == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (value == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: *value = kernel->code->max_threads == 0 ? 1024 : (int)kernel->code->max_threads; break;
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES: *value = (int)kernel->module->shared_bytes(); break;
    // A guess: registers are the real compiler's affair.
    case CU_FUNC_ATTRIBUTE_NUM_REGS: *value = 64; break;
    case CU_FUNC_ATTRIBUTE_PTX_VERSION:
    case CU_FUNC_ATTRIBUTE_BINARY_VERSION: *value = (int)kernel->module->table().architecture / 10; break;
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: *value = kernel->max_dynamic_shared; break;
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT: *value = kernel->preferred_carveout; break;
    default:
        if (attribute < 0 || attribute >= CU_FUNC_ATTRIBUTE_MAX)
            return CUDA_ERROR_INVALID_VALUE;
        *value = 0;
    }
    return CUDA_SUCCESS;
}

CUresult set_attribute(Kernel* kernel, CUfunction_attribute attribute, int value) {
    if (kernel == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (attribute == CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT) {
        kernel->preferred_carveout = value;
        return value >= -1 && value <= 100 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    }
    if (attribute != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES)
        return attribute == CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    const u64 limit = device_limits().shared_per_block;
    if (value < 0 || value + kernel->module->shared_bytes() > limit)
        return host_fault(FaultKind::launch_limits, CUDA_ERROR_INVALID_VALUE, 0,
                          "kernel %s: %d bytes of dynamic shared memory asked for beside %llu static ones; a block of this device has %llu", kernel->code->name,
                          value, (unsigned long long)kernel->module->shared_bytes(), (unsigned long long)limit);
    kernel->max_dynamic_shared = value;
    return CUDA_SUCCESS;
}

template <typename Handle>
CUresult load_with_log(Handle* handle, const void* memory, const CUjit_option* options, void** values, unsigned count) {
    if (handle == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    std::string log;
    Library* library = nullptr;
    const size_t known = fault_log().all().size();
    const JitLog buffer(options, values, options == nullptr ? 0 : count);
    const CUresult result = load(memory, &library, log);
    if (result == CUDA_SUCCESS) {
        library->log = buffer;
        library->log.mark();
    } else {
        buffer.write(log);
        if (fault_log().all().size() == known)
            host_fault(FaultKind::bad_argument, result, 0, "an image could not be loaded: %s", log.c_str());
    }
    *handle = (Handle)library;
    return result;
}

}

Kernel* emulation::find_kernel(CUfunction handle) {
    for (const auto& library : libraries)
        for (const auto& kernel : library->kernels)
            if (kernel.get() == (Kernel*)handle)
                return kernel.get();
    return nullptr;
}

CUresult emulation::make_ready(Kernel& kernel, const char* call) {
    if (kernel.ready)
        return CUDA_SUCCESS;
    const std::string loading = text("kernel %s: %s would load its code, which cuKernelGetFunction does before,", kernel.code->name, call);
    if (const CUresult refused = Runtime::instance().refuse_in_capture(loading.c_str()))
        return refused;
    kernel.ready = true;
    for (const auto& library : libraries)
        for (const auto& entry : library->kernels)
            if (entry.get() == &kernel)
                return library->log.check(call);
    return CUDA_SUCCESS;
}

extern "C" {

CUresult cuLibraryLoadData(CUlibrary* library, const void* code, CUjit_option* options, void** values, unsigned count, void*, void**, unsigned) {
    BEGIN_CALL();
    return load_with_log(library, code, options, values, count);
}

CUresult cuLibraryLoadFromFile(CUlibrary* library, const char* file, CUjit_option* options, void** values, unsigned count, void*, void**, unsigned) {
    BEGIN_CALL();
    std::ifstream stream(file, std::ios::binary);
    if (!stream)
        return CUDA_ERROR_FILE_NOT_FOUND;
    const std::string content{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    return load_with_log(library, content.c_str(), options, values, count);
}

CUresult cuLibraryUnload(CUlibrary library) {
    BEGIN_CALL();
    return unload(find_library(library));
}

CUresult cuLibraryGetKernel(CUkernel* kernel, CUlibrary library, const char* name) {
    BEGIN_CALL();
    return find_by_name(find_library(library), name, (Kernel**)kernel);
}

CUresult cuKernelGetFunction(CUfunction* function, CUkernel kernel) {
    BEGIN_CALL();
    Kernel* found = find_kernel((CUfunction)kernel);
    if (found == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    *function = (CUfunction)kernel;
    return make_ready(*found, "cuKernelGetFunction");
}

CUresult cuKernelGetAttribute(int* value, CUfunction_attribute attribute, CUkernel kernel, CUdevice) {
    BEGIN_CALL();
    return get_attribute(find_kernel((CUfunction)kernel), attribute, value);
}

CUresult cuKernelSetAttribute(CUfunction_attribute attribute, int value, CUkernel kernel, CUdevice) {
    BEGIN_CALL();
    return set_attribute(find_kernel((CUfunction)kernel), attribute, value);
}

CUresult cuModuleLoadData(CUmodule* module, const void* image) {
    BEGIN_CALL();
    return load_with_log(module, image, nullptr, nullptr, 0);
}

CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned count, CUjit_option* options, void** values) {
    BEGIN_CALL();
    return load_with_log(module, image, options, values, count);
}

CUresult cuModuleUnload(CUmodule module) {
    BEGIN_CALL();
    return unload(find_library(module));
}

CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
    BEGIN_CALL();
    const CUresult result = find_by_name(find_library(module), name, (Kernel**)function);
    return result != CUDA_SUCCESS ? result : make_ready(*(Kernel*)*function, "cuModuleGetFunction");
}

CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction function) {
    BEGIN_CALL();
    return get_attribute(find_kernel(function), attribute, value);
}

CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
    BEGIN_CALL();
    return set_attribute(find_kernel(function), attribute, value);
}

CUresult cuFuncSetCacheConfig(CUfunction function, int) {
    BEGIN_CALL();
    return find_kernel(function) == nullptr ? CUDA_ERROR_INVALID_HANDLE : CUDA_SUCCESS;
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, CUfunction function, int threads, size_t dynamic_shared, unsigned) {
    BEGIN_CALL();
    const Kernel* kernel = find_kernel(function);
    if (kernel == nullptr)
        return CUDA_ERROR_INVALID_HANDLE;
    if (blocks == nullptr || threads <= 0 || threads > 1024)
        return CUDA_ERROR_INVALID_VALUE;
    const DeviceLimits& limits = device_limits();
    const u64 shared = dynamic_shared + kernel->module->shared_bytes() + limits.reserved_shared;
    const u32 warps = ((u32)threads + 31) / 32;
    u64 most = std::min<u64>(limits.blocks_per_processor, limits.threads_per_processor / 32 / warps);
    most = std::min<u64>(most, kRegistersPerProcessor / (64 * 32 * warps));
    if (shared > 0)
        most = std::min(most, limits.shared_per_processor / shared);
    *blocks = (int)most;
    return CUDA_SUCCESS;
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function, int threads, size_t dynamic_shared) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, threads, dynamic_shared, 0);
}

}
