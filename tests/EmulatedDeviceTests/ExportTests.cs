using System.Text.Json;
using XComposer2.Native.GpuTests;
using Xunit;

namespace XComposer2.Native.EmulatedDeviceTests;

public sealed class ExportTests(EmulatedDevice device)
{
    private const string Fence = "```", DriverTitle = "## Required exports of a driver library", CompilerTitle = "## Required exports of an NVRTC library";

    private static readonly string readme = File.ReadAllText(RepositoryPaths.Find("src/XComposer2.Native.Cuda/README.md"));

    /// <summary>The list is what the program binds; the names and whether they are a header's are an outside witness's word.</summary>
    [Theory]
    [InlineData(DriverTitle, "functions", 57)]
    [InlineData(CompilerTitle, "nvrtc", 13)]
    public void Every_function_of_the_list_is_exported_under_the_headers_symbol(string title, string part, int leastCount)
    {
        Assert.NotNull(device.Context);
        using JsonDocument abi = JsonDocument.Parse(File.ReadAllBytes(RepositoryPaths.Find("tests/golden/cuda-driver/abi.json")));
        HashSet<string> symbols = [.. abi.RootElement.GetProperty(part).EnumerateArray().Select(function => function.GetProperty("symbol").GetString()!)];
        string[] listed = ListedUnder(title);
        Assert.True(listed.Length >= leastCount, $"{title}: only {listed.Length} names were found");
        Assert.Equal(listed.Distinct(), listed);
        Assert.All(listed, name => Assert.True(symbols.Contains(name), $"{name} is no symbol of the header"));
        Assert.All(listed, name => Assert.True(device.HasExport(name), $"{name} is not exported"));
        Assert.False(device.HasExport(listed[0] + "_v9"), "a name that nobody has is exported");
    }

    /// <summary>The names in the block behind the title.</summary>
    private static string[] ListedUnder(string title)
    {
        int begin = readme.IndexOf(Fence, readme.IndexOf(title, StringComparison.Ordinal), StringComparison.Ordinal) + Fence.Length;
        int end = readme.IndexOf(Fence, begin, StringComparison.Ordinal);
        return readme[begin..end].Split([' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries);
    }
}
