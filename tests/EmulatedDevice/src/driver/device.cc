#include "driver/device.h"
#include <cstring>
#include "configuration.h"
#include "driver/runtime.h"

using namespace emulation;

const DeviceLimits& emulation::device_limits() {
    static const DeviceLimits turing = {46, 1024, 16, 64 << 10, 64 << 10, 0, 4 << 20, 1710000, 7000000, 256, "Emulated device, sm_75"};
    static const DeviceLimits ampere = {108, 2048, 32, 164 << 10, 163 << 10, 1 << 10, 40 << 20, 1410000, 1215000, 5120, "Emulated device, sm_80"};
    static const DeviceLimits gaming = {38, 1536, 16, 100 << 10, 99 << 10, 1 << 10, 4 << 20, 1665000, 7001000, 256, "Emulated device, sm_86"};
    static const DeviceLimits ada = {24, 1536, 24, 100 << 10, 99 << 10, 1 << 10, 24 << 20, 2460000, 8501000, 128, "Emulated device, sm_89"};
    static const DeviceLimits hopper = {132, 2048, 32, 228 << 10, 227 << 10, 1 << 10, 50 << 20, 1980000, 2619000, 5120, "Emulated device, sm_90"};
    switch (Configuration::instance().architecture) {
    case 75: return turing;
    case 86: return gaming;
    case 89: return ada;
    case 90: return hopper;
    default: return ampere;
    }
}

static int attribute_value(CUdevice_attribute attribute, bool& known) {
    const DeviceLimits& limits = device_limits();
    const u32 architecture = Configuration::instance().architecture;
    switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y: return 1024;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z: return 64;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X: return 0x7FFFFFFF;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z: return 65535;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: return kSharedWithoutAsking;
    case CU_DEVICE_ATTRIBUTE_WARP_SIZE: return 32;
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK:
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR: return kRegistersPerProcessor;
    case CU_DEVICE_ATTRIBUTE_CLOCK_RATE: return (int)limits.clock_khz;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
        return (int)(Configuration::instance().processors != 0 ? Configuration::instance().processors : limits.processors);
    case CU_DEVICE_ATTRIBUTE_INTEGRATED: return 0;
    case CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY:
    case CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS:
    case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
    case CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM: return 1;
    case CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH:
    case CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_MAX_PERSISTING_L2_CACHE_SIZE:
    case CU_DEVICE_ATTRIBUTE_MAX_ACCESS_POLICY_WINDOW_SIZE: return 0;
    case CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH: return 0;
    case CU_DEVICE_ATTRIBUTE_TENSOR_MAP_ACCESS_SUPPORTED: return architecture >= 90;
    case CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE: return (int)limits.memory_clock_khz;
    case CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH: return (int)limits.bus_bits;
    case CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE: return (int)limits.l2_bytes;
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR: return (int)limits.threads_per_processor;
    case CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT: return 2;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: return (int)architecture / 10;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: return (int)architecture % 10;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR: return (int)limits.shared_per_processor;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: return (int)limits.shared_per_block;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR: return (int)limits.blocks_per_processor;
    case CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK: return (int)limits.reserved_shared;
    }
    known = false;
    return 0;
}

extern "C" {

CUresult cuDeviceGetCount(int* count) {
    BEGIN_CALL(false);
    if (count == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    *count = 1;
    return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) {
    BEGIN_CALL(false);
    if (device == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    if (ordinal != 0)
        return CUDA_ERROR_INVALID_DEVICE;
    *device = 0;
    return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
    BEGIN_CALL(false);
    if (name == nullptr || length <= 0)
        return CUDA_ERROR_INVALID_VALUE;
    if (device != 0)
        return CUDA_ERROR_INVALID_DEVICE;
    std::strncpy(name, device_limits().name, (size_t)length - 1);
    name[length - 1] = '\0';
    return CUDA_SUCCESS;
}

CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice device) {
    BEGIN_CALL(false);
    if (uuid == nullptr || device != 0)
        return CUDA_ERROR_INVALID_VALUE;
    std::memcpy(uuid->bytes, "emulated-device0", sizeof uuid->bytes);
    return CUDA_SUCCESS;
}

CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
    BEGIN_CALL(false);
    if (bytes == nullptr || device != 0)
        return CUDA_ERROR_INVALID_VALUE;
    *bytes = Configuration::instance().memory_bytes;
    return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device) {
    BEGIN_CALL(false);
    if (value == nullptr)
        return CUDA_ERROR_INVALID_VALUE;
    if (device != 0)
        return CUDA_ERROR_INVALID_DEVICE;
    bool known = true;
    *value = attribute_value(attribute, known);
    // An attribute that this device does not have is one that it does not support.
    return known || (attribute > 0 && attribute < 136) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuDeviceGetPCIBusId(char* id, int length, CUdevice device) {
    BEGIN_CALL(false);
    if (id == nullptr || length < 13 || device != 0)
        return CUDA_ERROR_INVALID_VALUE;
    std::strcpy(id, "0000:00:00.0");
    return CUDA_SUCCESS;
}

}
