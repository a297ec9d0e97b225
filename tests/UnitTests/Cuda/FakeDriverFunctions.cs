using System.Runtime.InteropServices;
using System.Text;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.UnitTests;

/// <summary>The functions of <see cref="FakeDriver"/> with behaviour. Unused trailing arguments are omitted, because the caller cleans up the stack.</summary>
internal static unsafe class FakeDriverFunctions
{
    public static void AddTo(Dictionary<string, nint> functions)
    {
        functions["cuInit"] = (nint)(delegate* unmanaged<CudaResult>)&Init;
        functions["cuDriverGetVersion"] = (nint)(delegate* unmanaged<int*, CudaResult>)&GetVersion;
        functions["cuGetErrorName"] = (nint)(delegate* unmanaged<CudaResult, byte**, CudaResult>)&GetErrorName;
        functions["cuGetErrorString"] = (nint)(delegate* unmanaged<CudaResult, byte**, CudaResult>)&GetErrorString;
        functions["cuDeviceGetCount"] = (nint)(delegate* unmanaged<int*, CudaResult>)&GetCount;
        functions["cuDeviceGet"] = (nint)(delegate* unmanaged<int*, int, CudaResult>)&GetDevice;
        functions["cuDeviceGetName"] = (nint)(delegate* unmanaged<byte*, CudaResult>)&GetName;
        functions["cuDeviceTotalMem_v2"] = (nint)(delegate* unmanaged<nuint*, CudaResult>)&GetTotalMemory;
        functions["cuDeviceGetAttribute"] = (nint)(delegate* unmanaged<int*, DeviceAttribute, CudaResult>)&GetAttribute;
        functions["cuDevicePrimaryCtxRetain"] = (nint)(delegate* unmanaged<long*, CudaResult>)&RetainContext;
        functions["cuDevicePrimaryCtxRelease_v2"] = (nint)(delegate* unmanaged<CudaResult>)&ReleaseContext;
        functions["cuCtxSetCurrent"] = (nint)(delegate* unmanaged<CudaResult>)&SetCurrent;
        functions["cuMemGetInfo_v2"] = (nint)(delegate* unmanaged<nuint*, nuint*, CudaResult>)&GetMemory;
        functions["cuMemAlloc_v2"] = (nint)(delegate* unmanaged<long*, CudaResult>)&Allocate;
        functions["cuMemFree_v2"] = (nint)(delegate* unmanaged<long, CudaResult>)&Free;
        functions["cuMemHostAlloc"] = (nint)(delegate* unmanaged<long*, CudaResult>)&AllocateHost;
        functions["cuMemFreeHost"] = (nint)(delegate* unmanaged<long, CudaResult>)&FreeHost;
        functions["cuMemHostGetDevicePointer_v2"] = (nint)(delegate* unmanaged<long*, long, CudaResult>)&GetHostPointer;
        functions["cuMemGetAllocationGranularity"] = (nint)(delegate* unmanaged<nuint*, CudaResult>)&GetGranularity;
        functions["cuMemAddressReserve"] = (nint)(delegate* unmanaged<long*, CudaResult>)&ReserveAddresses;
        functions["cuMemAddressFree"] = (nint)(delegate* unmanaged<long, CudaResult>)&FreeAddresses;
        functions["cuMemCreate"] = (nint)(delegate* unmanaged<long*, nuint, CudaResult>)&CreateMemory;
        functions["cuMemRelease"] = (nint)(delegate* unmanaged<long, CudaResult>)&ReleaseMemory;
        functions["cuMemMap"] = (nint)(delegate* unmanaged<CudaResult>)&MapMemory;
        functions["cuMemSetAccess"] = (nint)(delegate* unmanaged<CudaResult>)&SetAccess;
        functions["cuStreamCreateWithPriority"] = (nint)(delegate* unmanaged<long*, CudaResult>)&CreateStream;
        functions["cuStreamDestroy_v2"] = (nint)(delegate* unmanaged<long, CudaResult>)&DestroyStream;
        functions["cuStreamQuery"] = (nint)(delegate* unmanaged<CudaResult>)&QueryStream;
        functions["cuStreamSynchronize"] = (nint)(delegate* unmanaged<CudaResult>)&SynchronizeStream;
        functions["cuStreamEndCapture"] = (nint)(delegate* unmanaged<long, long*, CudaResult>)&EndCapture;
        functions["cuEventCreate"] = (nint)(delegate* unmanaged<long*, CudaResult>)&CreateEvent;
        functions["cuEventDestroy_v2"] = (nint)(delegate* unmanaged<long, CudaResult>)&DestroyEvent;
        functions["cuLibraryLoadData"] = (nint)(delegate* unmanaged<long*, void*, JitOption*, void**, uint, CudaResult>)&LoadLibrary;
        functions["cuLibraryUnload"] = (nint)(delegate* unmanaged<long, CudaResult>)&UnloadLibrary;
        functions["cuLibraryGetKernel"] = (nint)(delegate* unmanaged<long*, long, byte*, CudaResult>)&GetKernel;
        functions["cuKernelGetFunction"] = (nint)(delegate* unmanaged<long*, long, CudaResult>)&GetFunction;
        functions["cuKernelGetAttribute"] = (nint)(delegate* unmanaged<int*, FunctionAttribute, CudaResult>)&GetKernelAttribute;
        functions["cuLaunchKernelEx"] = (nint)(delegate* unmanaged<LaunchConfiguration*, nint, void**, CudaResult>)&Launch;
        functions["cuGraphInstantiateWithFlags"] = (nint)(delegate* unmanaged<long*, CudaResult>)&Instantiate;
        functions["cuGraphExecDestroy"] = (nint)(delegate* unmanaged<long, CudaResult>)&DestroyExecutable;
        functions["cuGraphDestroy"] = (nint)(delegate* unmanaged<long, CudaResult>)&DestroyGraph;
        functions["cuGraphExecUpdate_v2"] = (nint)(delegate* unmanaged<long, long, GraphUpdateInfo*, CudaResult>)&Update;
        functions["cuGraphExecKernelNodeSetParams_v2"] = (nint)(delegate* unmanaged<long, long, KernelNodeParameters*, CudaResult>)&SetNode;
    }

    private static FakeDriver Driver => FakeDriver.Current;

    [UnmanagedCallersOnly]
    private static CudaResult Init() => Driver.Answer("cuInit");

    [UnmanagedCallersOnly]
    private static CudaResult GetVersion(int* version)
    {
        *version = Driver.Version;
        return Driver.Answer("cuDriverGetVersion");
    }

    [UnmanagedCallersOnly]
    private static CudaResult GetErrorName(CudaResult result, byte** name)
    {
        *name = result == CudaResult.OutOfMemory ? FakeDriver.Text("CUDA_ERROR_OUT_OF_MEMORY\0"u8) : null;
        return *name == null ? CudaResult.InvalidValue : CudaResult.Success;
    }

    [UnmanagedCallersOnly]
    private static CudaResult GetErrorString(CudaResult result, byte** text)
    {
        *text = result == CudaResult.OutOfMemory ? FakeDriver.Text("out of memory\0"u8) : null;
        return *text == null ? CudaResult.InvalidValue : CudaResult.Success;
    }

    [UnmanagedCallersOnly]
    private static CudaResult GetCount(int* count)
    {
        *count = Driver.Devices;
        return Driver.Answer("cuDeviceGetCount");
    }

    [UnmanagedCallersOnly]
    private static CudaResult GetDevice(int* device, int ordinal)
    {
        *device = ordinal;
        return Driver.Answer("cuDeviceGet");
    }

    [UnmanagedCallersOnly]
    private static CudaResult GetName(byte* name)
    {
        "Fake GPU\0"u8.CopyTo(new Span<byte>(name, 256));
        return Driver.Answer("cuDeviceGetName");
    }

    [UnmanagedCallersOnly]
    private static CudaResult GetTotalMemory(nuint* bytes)
    {
        *bytes = unchecked((nuint)80_000_000_000);
        return CudaResult.Success;
    }

    [UnmanagedCallersOnly]
    private static CudaResult GetAttribute(int* value, DeviceAttribute attribute)
    {
        *value = attribute switch
        {
            _ when Driver.Capabilities.TryGetValue(attribute, out int given) => given,
            DeviceAttribute.ComputeCapabilityMajor => Driver.Capability / 10,
            DeviceAttribute.ComputeCapabilityMinor => Driver.Capability % 10,
            // Other attributes return their own number, which reveals mixed-up properties.
            _ => (int)attribute,
        };
        return Driver.Answer("cuDeviceGetAttribute");
    }

    [UnmanagedCallersOnly]
    private static CudaResult RetainContext(long* context) => Driver.Make("cuDevicePrimaryCtxRetain", "context", out *context);

    [UnmanagedCallersOnly]
    private static CudaResult ReleaseContext() =>
        Driver.Give("cuDevicePrimaryCtxRelease_v2", "context", Driver.Alive.FirstOrDefault(alive => alive.Kind == "context").Handle);

    [UnmanagedCallersOnly]
    private static CudaResult SetCurrent() => Driver.Answer("cuCtxSetCurrent");

    [UnmanagedCallersOnly]
    private static CudaResult GetMemory(nuint* free, nuint* total)
    {
        *free = 12_345;
        *total = 67_890;
        return Driver.Answer("cuMemGetInfo_v2");
    }

    [UnmanagedCallersOnly]
    private static CudaResult Allocate(long* pointer) => Driver.Make("cuMemAlloc_v2", "memory", out *pointer);

    [UnmanagedCallersOnly]
    private static CudaResult Free(long pointer) => Driver.Give("cuMemFree_v2", "memory", pointer);

    [UnmanagedCallersOnly]
    private static CudaResult AllocateHost(long* pointer) => Driver.Make("cuMemHostAlloc", "pinned", out *pointer);

    [UnmanagedCallersOnly]
    private static CudaResult FreeHost(long pointer) => Driver.Give("cuMemFreeHost", "pinned", pointer);

    [UnmanagedCallersOnly]
    private static CudaResult GetHostPointer(long* pointer, long host)
    {
        *pointer = host + 1;
        return Driver.Answer("cuMemHostGetDevicePointer_v2");
    }

    [UnmanagedCallersOnly]
    private static CudaResult GetGranularity(nuint* granularity)
    {
        *granularity = FakeDriver.GranularityBytes;
        return Driver.Answer("cuMemGetAllocationGranularity");
    }

    [UnmanagedCallersOnly]
    private static CudaResult ReserveAddresses(long* address) => Driver.Make("cuMemAddressReserve", "addresses", out *address);

    [UnmanagedCallersOnly]
    private static CudaResult FreeAddresses(long address) => Driver.Give("cuMemAddressFree", "addresses", address);

    [UnmanagedCallersOnly]
    private static CudaResult CreateMemory(long* handle, nuint bytes)
    {
        Driver.CreatedBytes.Add((long)bytes);
        return Driver.Make("cuMemCreate", "mapped memory", out *handle);
    }

    [UnmanagedCallersOnly]
    private static CudaResult ReleaseMemory(long handle) => Driver.Give("cuMemRelease", "mapped memory", handle);

    [UnmanagedCallersOnly]
    private static CudaResult MapMemory() => Driver.Answer("cuMemMap");

    [UnmanagedCallersOnly]
    private static CudaResult SetAccess() => Driver.Answer("cuMemSetAccess");

    [UnmanagedCallersOnly]
    private static CudaResult CreateStream(long* stream) => Driver.Make("cuStreamCreateWithPriority", "stream", out *stream);

    [UnmanagedCallersOnly]
    private static CudaResult DestroyStream(long stream) => Driver.Give("cuStreamDestroy_v2", "stream", stream);

    [UnmanagedCallersOnly]
    private static CudaResult QueryStream() => Driver.Answer("cuStreamQuery");

    [UnmanagedCallersOnly]
    private static CudaResult SynchronizeStream() => Driver.Answer("cuStreamSynchronize");

    [UnmanagedCallersOnly]
    private static CudaResult EndCapture(long stream, long* graph) => Driver.Make("cuStreamEndCapture", "graph", out *graph);

    [UnmanagedCallersOnly]
    private static CudaResult CreateEvent(long* mark) => Driver.Make("cuEventCreate", "event", out *mark);

    [UnmanagedCallersOnly]
    private static CudaResult DestroyEvent(long mark) => Driver.Give("cuEventDestroy_v2", "event", mark);

    [UnmanagedCallersOnly]
    private static CudaResult LoadLibrary(long* library, void* code, JitOption* options, void** values, uint count)
    {
        for (int index = 0; index < count; index++)
            if (options[index] == JitOption.ErrorLogBuffer)
                Encoding.UTF8.GetBytes(Driver.JitLog + '\0').CopyTo(new Span<byte>(values[index], (int)(long)values[index + 1]));
        return Driver.Make("cuLibraryLoadData", "library", out *library);
    }

    [UnmanagedCallersOnly]
    private static CudaResult UnloadLibrary(long library) => Driver.Give("cuLibraryUnload", "library", library);

    [UnmanagedCallersOnly]
    private static CudaResult GetKernel(long* kernel, long library, byte* name)
    {
        *kernel = 0x77;
        return FakeDriver.Read(name) == "rms_norm" ? Driver.Answer("cuLibraryGetKernel") : CudaResult.NotFound;
    }

    [UnmanagedCallersOnly]
    private static CudaResult GetFunction(long* function, long kernel)
    {
        *function = kernel + 1;
        return Driver.Answer("cuKernelGetFunction");
    }

    [UnmanagedCallersOnly]
    private static CudaResult GetKernelAttribute(int* value, FunctionAttribute attribute)
    {
        *value = 100 + (int)attribute;
        return Driver.Answer("cuKernelGetAttribute");
    }

    [UnmanagedCallersOnly]
    private static CudaResult Launch(LaunchConfiguration* configuration, nint function, void** arguments)
    {
        Driver.Launch = *configuration;
        Driver.Launched = function;
        Driver.LaunchAttributeBytes = new ReadOnlySpan<byte>(configuration->Attrs, (int)configuration->NumAttrs * 72).ToArray();
        Driver.Arguments = new ReadOnlySpan<byte>(arguments[0], Driver.ArgumentBytes).ToArray();
        return Driver.Answer("cuLaunchKernelEx");
    }

    [UnmanagedCallersOnly]
    private static CudaResult Instantiate(long* executable) => Driver.Make("cuGraphInstantiateWithFlags", "executable", out *executable);

    [UnmanagedCallersOnly]
    private static CudaResult DestroyExecutable(long executable) => Driver.Give("cuGraphExecDestroy", "executable", executable);

    [UnmanagedCallersOnly]
    private static CudaResult DestroyGraph(long graph) => Driver.Give("cuGraphDestroy", "graph", graph);

    [UnmanagedCallersOnly]
    private static CudaResult Update(long executable, long graph, GraphUpdateInfo* info)
    {
        info->Result = Driver.UpdateResult;
        return Driver.Answer("cuGraphExecUpdate_v2");
    }

    [UnmanagedCallersOnly]
    private static CudaResult SetNode(long executable, long node, KernelNodeParameters* parameters)
    {
        Driver.Node = *parameters;
        Driver.Arguments = new ReadOnlySpan<byte>(parameters->KernelParams[0], Driver.ArgumentBytes).ToArray();
        return Driver.Answer("cuGraphExecKernelNodeSetParams_v2");
    }
}
