using System.Text.Json;
using XComposer2.Native.GpuTests;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

public sealed class ExportTests(EmulatedDevice device)
{
    /// <summary>What the program binds is a part of this; a name that is missing would be refused when the library is loaded, which the fixture does.</summary>
    [Fact]
    public void Every_bound_function_is_exported_under_the_headers_name()
    {
        Assert.NotNull(device.Context);
        using JsonDocument abi = JsonDocument.Parse(File.ReadAllBytes(RepositoryPaths.Find("tests/golden/cuda-driver/abi.json")));
        string readme = File.ReadAllText(RepositoryPaths.Find("src/XComposer2.Native.Cuda/README.md"));
        HashSet<string> bound = [.. readme.Split([' ', '\n', '\r', '`'], StringSplitOptions.RemoveEmptyEntries)];
        string[] symbols =
        [
            .. abi.RootElement.GetProperty("functions").EnumerateArray().Concat(abi.RootElement.GetProperty("nvrtc").EnumerateArray())
                .Select(function => function.GetProperty("symbol").GetString()!).Where(bound.Contains).Distinct(),
        ];
        Assert.True(symbols.Length > 60, $"only {symbols.Length} names were found in the list");
        Assert.All(symbols, symbol => Assert.True(device.HasExport(symbol), symbol));
    }
}
