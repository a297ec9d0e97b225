using System.Reflection;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Compares the bindings with the CUDA headers.</summary>
public class DriverAbiTests
{
    private readonly HeaderAbi headers = HeaderAbi.Read();

    public static TheoryData<string> DriverSymbols => [.. Symbols(typeof(DriverFunctions))];

    public static TheoryData<string> CompilerSymbols => [.. Symbols(typeof(CompilerFunctions))];

    [Theory]
    [MemberData(nameof(DriverSymbols))]
    public void Driver_function_signature_matches_the_header(string symbol) => CheckSignature(typeof(DriverFunctions), symbol, typeof(CudaResult));

    [Theory]
    [MemberData(nameof(CompilerSymbols))]
    public void Compiler_function_signature_matches_the_header(string symbol) =>
        CheckSignature(typeof(CompilerFunctions), symbol, symbol == "nvrtcGetErrorString" ? typeof(byte).MakePointerType() : typeof(NvrtcResult));

    [Fact]
    public void Readme_lists_the_bound_functions()
    {
        string readme = File.ReadAllText(TestPaths.Repository("src/XComposer2.Native.Cuda/README.md"));
        string[] blocks = [.. readme.Split("```").Where((_, index) => index % 2 == 1)];
        Assert.Equal(Symbols(typeof(DriverFunctions)).Order(), Words(blocks[0]));
        Assert.Equal(Symbols(typeof(CompilerFunctions)).Order(), Words(blocks[1]));

        static IEnumerable<string> Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Order();
    }

    [Theory]
    [InlineData(typeof(LaunchConfiguration), "CUlaunchConfig")]
    [InlineData(typeof(KernelNodeParameters), "CUDA_KERNEL_NODE_PARAMS")]
    [InlineData(typeof(GraphUpdateInfo), "CUgraphExecUpdateResultInfo")]
    [InlineData(typeof(AccessPolicyWindow), "CUaccessPolicyWindow")]
    [InlineData(typeof(TensorMap), "CUtensorMap")]
    [InlineData(typeof(DevicePointer), "CUdeviceptr")]
    [InlineData(typeof(MemoryLocation), "CUmemLocation")]
    [InlineData(typeof(MemoryAllocationProperties), "CUmemAllocationProp")]
    [InlineData(typeof(MemoryAccess), "CUmemAccessDesc")]
    [InlineData(typeof(DeviceHandle), "CUdevice")]
    public void Struct_layout_matches_the_header(Type type, string name)
    {
        HeaderAbi.HeaderStruct header = headers.Struct(name);
        Assert.Equal(header.Size, SizeOf(type));
        if (header.Fields.Count == 0) return;
        FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        Assert.Equal(
            header.Fields.Select(field => $"{Plain(field.Key)} at {field.Value[0]}, {field.Value[1]} bytes").Order(),
            fields.Select(field => $"{Plain(field.Name)} at {OffsetOf(type, field)}, {SizeOf(field.FieldType)} bytes").Order());
    }

    [Fact]
    public void Launch_attribute_matches_the_identifier_and_union_of_the_header()
    {
        HeaderAbi.HeaderStruct attribute = headers.Struct("CUlaunchAttribute"), value = headers.Struct("CUlaunchAttributeValue");
        Assert.Equal(attribute.Size, SizeOf(typeof(LaunchAttribute)));
        int unionStart = attribute.Fields["value"][0];
        foreach (FieldInfo field in typeof(LaunchAttribute).GetFields())
        {
            (string _, int[] expected) = field.Name == nameof(LaunchAttribute.Id)
                ? new("id", attribute.Fields["id"])
                : value.Fields.Single(member => Plain(member.Key) == Plain(field.Name));
            int start = field.Name == nameof(LaunchAttribute.Id) ? 0 : unionStart;
            Assert.Equal((field.Name, start + expected[0], expected[1]), (field.Name, OffsetOf(typeof(LaunchAttribute), field), SizeOf(field.FieldType)));
        }
    }

    [Theory]
    [InlineData(typeof(CudaResult), "CUresult", "CUDA_ERROR_")]
    [InlineData(typeof(DeviceAttribute), "CUdevice_attribute", "CU_DEVICE_ATTRIBUTE_")]
    [InlineData(typeof(FunctionAttribute), "CUfunction_attribute", "CU_FUNC_ATTRIBUTE_")]
    [InlineData(typeof(LaunchAttributeId), "CUlaunchAttributeID", "CU_LAUNCH_ATTRIBUTE_")]
    [InlineData(typeof(AccessProperty), "CUaccessProperty", "CU_ACCESS_PROPERTY_")]
    [InlineData(typeof(ContextLimit), "CUlimit", "CU_LIMIT_")]
    [InlineData(typeof(StreamFlags), "CUstream_flags", "CU_STREAM_")]
    [InlineData(typeof(EventFlags), "CUevent_flags", "CU_EVENT_")]
    [InlineData(typeof(HostAllocationFlags), "defines", "CU_MEMHOSTALLOC_")]
    [InlineData(typeof(JitOption), "CUjit_option", "CU_JIT_")]
    [InlineData(typeof(LibraryOption), "CUlibraryOption", "CU_LIBRARY_")]
    [InlineData(typeof(CaptureMode), "CUstreamCaptureMode", "CU_STREAM_CAPTURE_MODE_")]
    [InlineData(typeof(CaptureStatus), "CUstreamCaptureStatus", "CU_STREAM_CAPTURE_STATUS_")]
    [InlineData(typeof(GraphInstantiateFlags), "CUgraphInstantiate_flags", "CUDA_GRAPH_INSTANTIATE_FLAG_")]
    [InlineData(typeof(GraphUpdateResult), "CUgraphExecUpdateResult", "CU_GRAPH_EXEC_UPDATE_")]
    [InlineData(typeof(GraphNodeType), "CUgraphNodeType", "CU_GRAPH_NODE_TYPE_")]
    [InlineData(typeof(TensorMapType), "CUtensorMapDataType", "CU_TENSOR_MAP_DATA_TYPE_")]
    [InlineData(typeof(TensorMapInterleave), "CUtensorMapInterleave", "CU_TENSOR_MAP_INTERLEAVE_")]
    [InlineData(typeof(TensorMapSwizzle), "CUtensorMapSwizzle", "CU_TENSOR_MAP_SWIZZLE_")]
    [InlineData(typeof(TensorMapPromotion), "CUtensorMapL2promotion", "CU_TENSOR_MAP_L2_PROMOTION_")]
    [InlineData(typeof(TensorMapFill), "CUtensorMapFloatOOBfill", "CU_TENSOR_MAP_FLOAT_OOB_FILL_")]
    [InlineData(typeof(MemoryAllocationType), "CUmemAllocationType", "CU_MEM_ALLOCATION_TYPE_")]
    [InlineData(typeof(MemoryLocationType), "CUmemLocationType", "CU_MEM_LOCATION_TYPE_")]
    [InlineData(typeof(AllocationGranularity), "CUmemAllocationGranularity_flags", "CU_MEM_ALLOC_GRANULARITY_")]
    [InlineData(typeof(MemoryAccessFlags), "CUmemAccess_flags", "CU_MEM_ACCESS_FLAGS_PROT_")]
    [InlineData(typeof(NvrtcResult), "nvrtcResult", "NVRTC_ERROR_")]
    public void Constants_match_the_header(Type type, string name, string prefix)
    {
        IReadOnlyDictionary<string, long> header = headers.Enum(name);
        foreach (string member in Enum.GetNames(type))
        {
            if (member == "None" && type.IsDefined(typeof(FlagsAttribute), false)) continue;
            string[] matches = [.. header.Keys.Where(key => Plain(key) == Plain(prefix + member) || (member == "Success" && Plain(key) == Plain(Success(prefix))))];
            string match = Assert.Single(matches);
            Assert.Equal((member, header[match]), (member, Convert.ToInt64(Enum.Parse(type, member))));
        }
    }

    [Fact]
    public void Every_enum_of_the_bindings_is_tested()
    {
        MethodInfo test = typeof(DriverAbiTests).GetMethod(nameof(Constants_match_the_header))!;
        HashSet<Type> tested = [.. test.GetCustomAttributes<InlineDataAttribute>().Select(data => (Type)data.Data[0]!)];
        Type[] ownEnums = [typeof(CudaUnavailableReason), typeof(CubinOrigin)];
        Type[] others = [.. typeof(CudaDriver).Assembly.GetTypes().Where(type => type.IsEnum && !tested.Contains(type)).Except(ownEnums)];
        Assert.Empty(others);
    }

    [Fact]
    public void Handles_have_pointer_size()
    {
        Type[] handles = [.. typeof(CudaDriver).Assembly.GetTypes().Where(type => type.IsValueType && type.Name.EndsWith("Handle", StringComparison.Ordinal))];
        Assert.Equal(11, handles.Length);
        foreach (Type handle in handles.Append(typeof(GraphNode)).Where(type => type != typeof(DeviceHandle)))
            Assert.Equal((handle, nint.Size), (handle, SizeOf(handle)));
    }

    internal static IEnumerable<string> Symbols(Type table) =>
        table.GetFields(BindingFlags.Instance | BindingFlags.Public).Where(entry => entry.FieldType.IsFunctionPointer).Select(entry => entry.Name);

    private void CheckSignature(Type table, string symbol, Type result)
    {
        string[]? arguments = headers.Arguments(symbol);
        Assert.True(arguments is not null, $"{symbol} is not exported by the driver version of the headers");
        Type function = table.GetField(symbol)!.FieldType;
        Assert.True(function.IsUnmanagedFunctionPointer);
        Assert.Equal(result, function.GetFunctionPointerReturnType());
        Assert.Equal(arguments.Select(CTypes.Expected), function.GetFunctionPointerParameterTypes().Select(CTypes.Describe));
    }

    private static string Success(string prefix) => prefix.Replace("ERROR_", string.Empty, StringComparison.Ordinal) + "SUCCESS";

    /// <summary>Normalises a name: without case and separators, and with naming differences between C and C# removed.</summary>
    private static string Plain(string name)
    {
        string plain = name.Replace("_", string.Empty, StringComparison.Ordinal).ToUpperInvariant();
        return plain.StartsWith("CUTENSORMAP", StringComparison.Ordinal)
            ? System.Text.RegularExpressions.Regex.Replace(plain, "BYTES([0-9]+)$", "$1B").Replace("FILLZERO", "FILLNONE", StringComparison.Ordinal)
            : plain;
    }

    private static int SizeOf(Type type) =>
        type.IsPointer ? nint.Size : (int)typeof(DriverAbiTests).GetMethod(nameof(Measure), BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(type).Invoke(null, null)!;

    private static int Measure<T>() => System.Runtime.CompilerServices.Unsafe.SizeOf<T>();

    private static int OffsetOf(Type type, FieldInfo field) => (int)Marshal.OffsetOf(type, field.Name);
}
