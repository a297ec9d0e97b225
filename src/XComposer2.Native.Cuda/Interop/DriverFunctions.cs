namespace XComposer2.Native.Cuda;

/// <summary>
/// The driver's entry points, bound once under their exported names: <c>cuda.h</c> redirects <c>cuMemAlloc</c> to
/// <c>cuMemAlloc_v2</c>, and the unsuffixed export is the 32-bit function of 2008.
/// </summary>
internal sealed unsafe class DriverFunctions(INativeExports driver)
{
    // Initialisation and errors
    public readonly delegate* unmanaged<uint, CudaResult> cuInit =
        (delegate* unmanaged<uint, CudaResult>)driver.Find(nameof(cuInit));
    public readonly delegate* unmanaged<int*, CudaResult> cuDriverGetVersion =
        (delegate* unmanaged<int*, CudaResult>)driver.Find(nameof(cuDriverGetVersion));
    public readonly delegate* unmanaged<CudaResult, byte**, CudaResult> cuGetErrorName =
        (delegate* unmanaged<CudaResult, byte**, CudaResult>)driver.Find(nameof(cuGetErrorName));
    public readonly delegate* unmanaged<CudaResult, byte**, CudaResult> cuGetErrorString =
        (delegate* unmanaged<CudaResult, byte**, CudaResult>)driver.Find(nameof(cuGetErrorString));

    // Devices
    public readonly delegate* unmanaged<DeviceHandle*, int, CudaResult> cuDeviceGet =
        (delegate* unmanaged<DeviceHandle*, int, CudaResult>)driver.Find(nameof(cuDeviceGet));
    public readonly delegate* unmanaged<int*, CudaResult> cuDeviceGetCount =
        (delegate* unmanaged<int*, CudaResult>)driver.Find(nameof(cuDeviceGetCount));
    public readonly delegate* unmanaged<byte*, int, DeviceHandle, CudaResult> cuDeviceGetName =
        (delegate* unmanaged<byte*, int, DeviceHandle, CudaResult>)driver.Find(nameof(cuDeviceGetName));
    public readonly delegate* unmanaged<nuint*, DeviceHandle, CudaResult> cuDeviceTotalMem_v2 =
        (delegate* unmanaged<nuint*, DeviceHandle, CudaResult>)driver.Find(nameof(cuDeviceTotalMem_v2));
    public readonly delegate* unmanaged<int*, DeviceAttribute, DeviceHandle, CudaResult> cuDeviceGetAttribute =
        (delegate* unmanaged<int*, DeviceAttribute, DeviceHandle, CudaResult>)driver.Find(nameof(cuDeviceGetAttribute));

    // Contexts
    public readonly delegate* unmanaged<ContextHandle*, DeviceHandle, CudaResult> cuDevicePrimaryCtxRetain =
        (delegate* unmanaged<ContextHandle*, DeviceHandle, CudaResult>)driver.Find(nameof(cuDevicePrimaryCtxRetain));
    public readonly delegate* unmanaged<DeviceHandle, CudaResult> cuDevicePrimaryCtxRelease_v2 =
        (delegate* unmanaged<DeviceHandle, CudaResult>)driver.Find(nameof(cuDevicePrimaryCtxRelease_v2));
    public readonly delegate* unmanaged<ContextHandle, CudaResult> cuCtxSetCurrent =
        (delegate* unmanaged<ContextHandle, CudaResult>)driver.Find(nameof(cuCtxSetCurrent));
    public readonly delegate* unmanaged<CudaResult> cuCtxSynchronize =
        (delegate* unmanaged<CudaResult>)driver.Find(nameof(cuCtxSynchronize));
    public readonly delegate* unmanaged<ContextLimit, nuint, CudaResult> cuCtxSetLimit =
        (delegate* unmanaged<ContextLimit, nuint, CudaResult>)driver.Find(nameof(cuCtxSetLimit));

    // Memory
    public readonly delegate* unmanaged<nuint*, nuint*, CudaResult> cuMemGetInfo_v2 =
        (delegate* unmanaged<nuint*, nuint*, CudaResult>)driver.Find(nameof(cuMemGetInfo_v2));
    public readonly delegate* unmanaged<DevicePointer*, nuint, CudaResult> cuMemAlloc_v2 =
        (delegate* unmanaged<DevicePointer*, nuint, CudaResult>)driver.Find(nameof(cuMemAlloc_v2));
    public readonly delegate* unmanaged<DevicePointer, CudaResult> cuMemFree_v2 =
        (delegate* unmanaged<DevicePointer, CudaResult>)driver.Find(nameof(cuMemFree_v2));
    public readonly delegate* unmanaged<void**, nuint, HostAllocationFlags, CudaResult> cuMemHostAlloc =
        (delegate* unmanaged<void**, nuint, HostAllocationFlags, CudaResult>)driver.Find(nameof(cuMemHostAlloc));
    public readonly delegate* unmanaged<void*, CudaResult> cuMemFreeHost =
        (delegate* unmanaged<void*, CudaResult>)driver.Find(nameof(cuMemFreeHost));
    public readonly delegate* unmanaged<DevicePointer*, void*, uint, CudaResult> cuMemHostGetDevicePointer_v2 =
        (delegate* unmanaged<DevicePointer*, void*, uint, CudaResult>)driver.Find(nameof(cuMemHostGetDevicePointer_v2));
    public readonly delegate* unmanaged<DevicePointer, void*, nuint, StreamHandle, CudaResult> cuMemcpyHtoDAsync_v2 =
        (delegate* unmanaged<DevicePointer, void*, nuint, StreamHandle, CudaResult>)driver.Find(nameof(cuMemcpyHtoDAsync_v2));
    public readonly delegate* unmanaged<void*, DevicePointer, nuint, StreamHandle, CudaResult> cuMemcpyDtoHAsync_v2 =
        (delegate* unmanaged<void*, DevicePointer, nuint, StreamHandle, CudaResult>)driver.Find(nameof(cuMemcpyDtoHAsync_v2));
    public readonly delegate* unmanaged<DevicePointer, DevicePointer, nuint, StreamHandle, CudaResult> cuMemcpyDtoDAsync_v2 =
        (delegate* unmanaged<DevicePointer, DevicePointer, nuint, StreamHandle, CudaResult>)driver.Find(nameof(cuMemcpyDtoDAsync_v2));
    public readonly delegate* unmanaged<DevicePointer, byte, nuint, StreamHandle, CudaResult> cuMemsetD8Async =
        (delegate* unmanaged<DevicePointer, byte, nuint, StreamHandle, CudaResult>)driver.Find(nameof(cuMemsetD8Async));
    public readonly delegate* unmanaged<DevicePointer, uint, nuint, StreamHandle, CudaResult> cuMemsetD32Async =
        (delegate* unmanaged<DevicePointer, uint, nuint, StreamHandle, CudaResult>)driver.Find(nameof(cuMemsetD32Async));

    // Virtual memory
    public readonly delegate* unmanaged<nuint*, MemoryAllocationProperties*, AllocationGranularity, CudaResult> cuMemGetAllocationGranularity =
        (delegate* unmanaged<nuint*, MemoryAllocationProperties*, AllocationGranularity, CudaResult>)driver.Find(nameof(cuMemGetAllocationGranularity));
    public readonly delegate* unmanaged<DevicePointer*, nuint, nuint, DevicePointer, ulong, CudaResult> cuMemAddressReserve =
        (delegate* unmanaged<DevicePointer*, nuint, nuint, DevicePointer, ulong, CudaResult>)driver.Find(nameof(cuMemAddressReserve));
    public readonly delegate* unmanaged<DevicePointer, nuint, CudaResult> cuMemAddressFree =
        (delegate* unmanaged<DevicePointer, nuint, CudaResult>)driver.Find(nameof(cuMemAddressFree));
    public readonly delegate* unmanaged<AllocationHandle*, nuint, MemoryAllocationProperties*, ulong, CudaResult> cuMemCreate =
        (delegate* unmanaged<AllocationHandle*, nuint, MemoryAllocationProperties*, ulong, CudaResult>)driver.Find(nameof(cuMemCreate));
    public readonly delegate* unmanaged<AllocationHandle, CudaResult> cuMemRelease =
        (delegate* unmanaged<AllocationHandle, CudaResult>)driver.Find(nameof(cuMemRelease));
    public readonly delegate* unmanaged<DevicePointer, nuint, nuint, AllocationHandle, ulong, CudaResult> cuMemMap =
        (delegate* unmanaged<DevicePointer, nuint, nuint, AllocationHandle, ulong, CudaResult>)driver.Find(nameof(cuMemMap));
    public readonly delegate* unmanaged<DevicePointer, nuint, CudaResult> cuMemUnmap =
        (delegate* unmanaged<DevicePointer, nuint, CudaResult>)driver.Find(nameof(cuMemUnmap));
    public readonly delegate* unmanaged<DevicePointer, nuint, MemoryAccess*, nuint, CudaResult> cuMemSetAccess =
        (delegate* unmanaged<DevicePointer, nuint, MemoryAccess*, nuint, CudaResult>)driver.Find(nameof(cuMemSetAccess));

    // Streams
    public readonly delegate* unmanaged<StreamHandle*, StreamFlags, int, CudaResult> cuStreamCreateWithPriority =
        (delegate* unmanaged<StreamHandle*, StreamFlags, int, CudaResult>)driver.Find(nameof(cuStreamCreateWithPriority));
    public readonly delegate* unmanaged<StreamHandle, CudaResult> cuStreamDestroy_v2 =
        (delegate* unmanaged<StreamHandle, CudaResult>)driver.Find(nameof(cuStreamDestroy_v2));
    public readonly delegate* unmanaged<StreamHandle, CudaResult> cuStreamSynchronize =
        (delegate* unmanaged<StreamHandle, CudaResult>)driver.Find(nameof(cuStreamSynchronize));
    public readonly delegate* unmanaged<StreamHandle, CudaResult> cuStreamQuery =
        (delegate* unmanaged<StreamHandle, CudaResult>)driver.Find(nameof(cuStreamQuery));
    public readonly delegate* unmanaged<StreamHandle, EventHandle, uint, CudaResult> cuStreamWaitEvent =
        (delegate* unmanaged<StreamHandle, EventHandle, uint, CudaResult>)driver.Find(nameof(cuStreamWaitEvent));
    public readonly delegate* unmanaged<StreamHandle, CaptureMode, CudaResult> cuStreamBeginCapture_v2 =
        (delegate* unmanaged<StreamHandle, CaptureMode, CudaResult>)driver.Find(nameof(cuStreamBeginCapture_v2));
    public readonly delegate* unmanaged<StreamHandle, GraphHandle*, CudaResult> cuStreamEndCapture =
        (delegate* unmanaged<StreamHandle, GraphHandle*, CudaResult>)driver.Find(nameof(cuStreamEndCapture));
    public readonly delegate* unmanaged<StreamHandle, CaptureStatus*, CudaResult> cuStreamIsCapturing =
        (delegate* unmanaged<StreamHandle, CaptureStatus*, CudaResult>)driver.Find(nameof(cuStreamIsCapturing));

    // Events
    public readonly delegate* unmanaged<EventHandle*, EventFlags, CudaResult> cuEventCreate =
        (delegate* unmanaged<EventHandle*, EventFlags, CudaResult>)driver.Find(nameof(cuEventCreate));
    public readonly delegate* unmanaged<EventHandle, CudaResult> cuEventDestroy_v2 =
        (delegate* unmanaged<EventHandle, CudaResult>)driver.Find(nameof(cuEventDestroy_v2));
    public readonly delegate* unmanaged<EventHandle, StreamHandle, CudaResult> cuEventRecord =
        (delegate* unmanaged<EventHandle, StreamHandle, CudaResult>)driver.Find(nameof(cuEventRecord));
    public readonly delegate* unmanaged<EventHandle, CudaResult> cuEventQuery =
        (delegate* unmanaged<EventHandle, CudaResult>)driver.Find(nameof(cuEventQuery));
    public readonly delegate* unmanaged<EventHandle, CudaResult> cuEventSynchronize =
        (delegate* unmanaged<EventHandle, CudaResult>)driver.Find(nameof(cuEventSynchronize));
    public readonly delegate* unmanaged<float*, EventHandle, EventHandle, CudaResult> cuEventElapsedTime =
        (delegate* unmanaged<float*, EventHandle, EventHandle, CudaResult>)driver.Find(nameof(cuEventElapsedTime));

    // Libraries and kernels
    public readonly delegate* unmanaged<LibraryHandle*, void*, JitOption*, void**, uint, LibraryOption*, void**, uint, CudaResult> cuLibraryLoadData =
        (delegate* unmanaged<LibraryHandle*, void*, JitOption*, void**, uint, LibraryOption*, void**, uint, CudaResult>)driver.Find(nameof(cuLibraryLoadData));
    public readonly delegate* unmanaged<LibraryHandle, CudaResult> cuLibraryUnload =
        (delegate* unmanaged<LibraryHandle, CudaResult>)driver.Find(nameof(cuLibraryUnload));
    public readonly delegate* unmanaged<KernelHandle*, LibraryHandle, byte*, CudaResult> cuLibraryGetKernel =
        (delegate* unmanaged<KernelHandle*, LibraryHandle, byte*, CudaResult>)driver.Find(nameof(cuLibraryGetKernel));
    public readonly delegate* unmanaged<FunctionHandle*, KernelHandle, CudaResult> cuKernelGetFunction =
        (delegate* unmanaged<FunctionHandle*, KernelHandle, CudaResult>)driver.Find(nameof(cuKernelGetFunction));
    public readonly delegate* unmanaged<int*, FunctionAttribute, KernelHandle, DeviceHandle, CudaResult> cuKernelGetAttribute =
        (delegate* unmanaged<int*, FunctionAttribute, KernelHandle, DeviceHandle, CudaResult>)driver.Find(nameof(cuKernelGetAttribute));
    public readonly delegate* unmanaged<FunctionAttribute, int, KernelHandle, DeviceHandle, CudaResult> cuKernelSetAttribute =
        (delegate* unmanaged<FunctionAttribute, int, KernelHandle, DeviceHandle, CudaResult>)driver.Find(nameof(cuKernelSetAttribute));
    public readonly delegate* unmanaged<LaunchConfiguration*, FunctionHandle, void**, void**, CudaResult> cuLaunchKernelEx =
        (delegate* unmanaged<LaunchConfiguration*, FunctionHandle, void**, void**, CudaResult>)driver.Find(nameof(cuLaunchKernelEx));
    public readonly delegate* unmanaged<int*, FunctionHandle, int, nuint, CudaResult> cuOccupancyMaxActiveBlocksPerMultiprocessor =
        (delegate* unmanaged<int*, FunctionHandle, int, nuint, CudaResult>)driver.Find(nameof(cuOccupancyMaxActiveBlocksPerMultiprocessor));

    // Graphs
    public readonly delegate* unmanaged<GraphExecutableHandle*, GraphHandle, GraphInstantiateFlags, CudaResult> cuGraphInstantiateWithFlags =
        (delegate* unmanaged<GraphExecutableHandle*, GraphHandle, GraphInstantiateFlags, CudaResult>)driver.Find(nameof(cuGraphInstantiateWithFlags));
    public readonly delegate* unmanaged<GraphExecutableHandle, GraphHandle, GraphUpdateInfo*, CudaResult> cuGraphExecUpdate_v2 =
        (delegate* unmanaged<GraphExecutableHandle, GraphHandle, GraphUpdateInfo*, CudaResult>)driver.Find(nameof(cuGraphExecUpdate_v2));
    public readonly delegate* unmanaged<GraphExecutableHandle, GraphNode, KernelNodeParameters*, CudaResult> cuGraphExecKernelNodeSetParams_v2 =
        (delegate* unmanaged<GraphExecutableHandle, GraphNode, KernelNodeParameters*, CudaResult>)driver.Find(nameof(cuGraphExecKernelNodeSetParams_v2));
    public readonly delegate* unmanaged<GraphExecutableHandle, StreamHandle, CudaResult> cuGraphUpload =
        (delegate* unmanaged<GraphExecutableHandle, StreamHandle, CudaResult>)driver.Find(nameof(cuGraphUpload));
    public readonly delegate* unmanaged<GraphExecutableHandle, StreamHandle, CudaResult> cuGraphLaunch =
        (delegate* unmanaged<GraphExecutableHandle, StreamHandle, CudaResult>)driver.Find(nameof(cuGraphLaunch));
    public readonly delegate* unmanaged<GraphExecutableHandle, CudaResult> cuGraphExecDestroy =
        (delegate* unmanaged<GraphExecutableHandle, CudaResult>)driver.Find(nameof(cuGraphExecDestroy));
    public readonly delegate* unmanaged<GraphHandle, CudaResult> cuGraphDestroy =
        (delegate* unmanaged<GraphHandle, CudaResult>)driver.Find(nameof(cuGraphDestroy));
    public readonly delegate* unmanaged<GraphHandle, GraphNode*, nuint*, CudaResult> cuGraphGetNodes =
        (delegate* unmanaged<GraphHandle, GraphNode*, nuint*, CudaResult>)driver.Find(nameof(cuGraphGetNodes));
    public readonly delegate* unmanaged<GraphNode, GraphNodeType*, CudaResult> cuGraphNodeGetType =
        (delegate* unmanaged<GraphNode, GraphNodeType*, CudaResult>)driver.Find(nameof(cuGraphNodeGetType));
    public readonly delegate* unmanaged<GraphNode, KernelNodeParameters*, CudaResult> cuGraphKernelNodeGetParams_v2 =
        (delegate* unmanaged<GraphNode, KernelNodeParameters*, CudaResult>)driver.Find(nameof(cuGraphKernelNodeGetParams_v2));

    // Tensor maps
    public readonly delegate* unmanaged<TensorMap*, TensorMapType, uint, void*, ulong*, ulong*, uint*, uint*, TensorMapInterleave, TensorMapSwizzle, TensorMapPromotion, TensorMapFill, CudaResult> cuTensorMapEncodeTiled =
        (delegate* unmanaged<TensorMap*, TensorMapType, uint, void*, ulong*, ulong*, uint*, uint*, TensorMapInterleave, TensorMapSwizzle, TensorMapPromotion, TensorMapFill, CudaResult>)driver.Find(nameof(cuTensorMapEncodeTiled));
}
