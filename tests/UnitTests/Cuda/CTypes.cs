using XComposer2.Native.Cuda;

namespace XComposer2.Native.UnitTests;

/// <summary>Maps C types in signatures to C# types.</summary>
internal static class CTypes
{
    private static readonly Dictionary<string, string> names = new()
    {
        ["int"] = "Int32",
        ["unsigned int"] = "UInt32",
        ["unsigned char"] = "Byte",
        ["char"] = "Byte",
        ["unsigned long long"] = "UInt64",
        ["size_t"] = "UIntPtr",
        ["float"] = "Single",
        ["void"] = "Void",
        ["cuuint32_t"] = "UInt32",
        ["cuuint64_t"] = "UInt64",
        ["CUresult"] = nameof(CudaResult),
        ["CUdevice"] = nameof(DeviceHandle),
        ["CUdevice_attribute"] = nameof(DeviceAttribute),
        ["CUcontext"] = nameof(ContextHandle),
        ["CUlimit"] = nameof(ContextLimit),
        ["CUmemGenericAllocationHandle"] = nameof(AllocationHandle),
        ["CUmemAllocationProp"] = nameof(MemoryAllocationProperties),
        ["CUmemAllocationGranularity_flags"] = nameof(AllocationGranularity),
        ["CUmemAccessDesc"] = nameof(MemoryAccess),
        ["CUdeviceptr"] = nameof(DevicePointer),
        ["CUstream"] = nameof(StreamHandle),
        ["CUstreamCaptureMode"] = nameof(CaptureMode),
        ["CUstreamCaptureStatus"] = nameof(CaptureStatus),
        ["CUevent"] = nameof(EventHandle),
        ["CUlibrary"] = nameof(LibraryHandle),
        ["CUkernel"] = nameof(KernelHandle),
        ["CUfunction"] = nameof(FunctionHandle),
        ["CUfunction_attribute"] = nameof(FunctionAttribute),
        ["CUjit_option"] = nameof(JitOption),
        ["CUlibraryOption"] = nameof(LibraryOption),
        ["CUlaunchConfig"] = nameof(LaunchConfiguration),
        ["CUgraph"] = nameof(GraphHandle),
        ["CUgraphExec"] = nameof(GraphExecutableHandle),
        ["CUgraphNode"] = nameof(GraphNode),
        ["CUgraphNodeType"] = nameof(GraphNodeType),
        ["CUgraphExecUpdateResultInfo"] = nameof(GraphUpdateInfo),
        ["CUDA_KERNEL_NODE_PARAMS"] = nameof(KernelNodeParameters),
        ["CUtensorMap"] = nameof(TensorMap),
        ["CUtensorMapDataType"] = nameof(TensorMapType),
        ["CUtensorMapInterleave"] = nameof(TensorMapInterleave),
        ["CUtensorMapSwizzle"] = nameof(TensorMapSwizzle),
        ["CUtensorMapL2promotion"] = nameof(TensorMapPromotion),
        ["CUtensorMapFloatOOBfill"] = nameof(TensorMapFill),
        ["nvrtcResult"] = nameof(NvrtcResult),
        ["nvrtcProgram"] = nameof(ProgramHandle),
    };

    /// <summary>Converts <c>const char **pStr</c> to <c>Byte**</c>.</summary>
    public static string Expected(string parameter)
    {
        string plain = parameter.Replace("const ", " ", StringComparison.Ordinal);
        int stars = plain.Count(character => character == '*');
        string[] words = plain.Replace('*', ' ').Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return names[string.Join(' ', words[..^1])] + new string('*', stars);
    }

    /// <summary>A parameter of a function pointer. Flag enums are reduced to integers of their width, as in the header.</summary>
    public static string Describe(Type type)
    {
        int stars = 0;
        for (; type.IsPointer; type = type.GetElementType()!) stars++;
        string name = type.IsEnum && type.IsDefined(typeof(FlagsAttribute), false)
            ? Enum.GetUnderlyingType(type) == typeof(ulong) ? "UInt64" : "UInt32"
            : type.Name;
        return name + new string('*', stars);
    }
}
