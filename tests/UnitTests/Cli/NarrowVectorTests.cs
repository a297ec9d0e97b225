using System.Diagnostics;
using System.Runtime.Intrinsics;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>A program whose vectors are narrower than those of the processor reports it.</summary>
public sealed class NarrowVectorTests
{
    private static readonly string[] verboseChat =
    [
        Path.Combine(AppContext.BaseDirectory, "xc2.dll"), "chat", "--verbose", "--device", "cpu", "--greedy", "--model", TestPaths.Repository("tools/demo/checkpoint"),
        "--image", TestPaths.Repository("tools/demo/pictures/shapes-1.png"), "Describe this image.",
    ];

    /// <summary>The setting narrows the vectors of the just-in-time compiler, as a compilation ahead of time for an old processor does.</summary>
    [Fact]
    public void Narrow_vectors_are_reported()
    {
        if (!Vector256.IsHardwareAccelerated)
            Assert.Skip("the processor has only 128-bit vectors");
        ProcessStartInfo start = new("dotnet", verboseChat);
        start.Environment["DOTNET_EnableAVX2"] = "0";
        ProcessResult result = ProcessResult.Of(start);

        Assert.Equal((0, "The image shows a red star at the top.\n"), (result.ExitCode, result.Output));
        Assert.Matches("xc2: this program uses 128-bit vectors, the processor has (256|512)-bit vectors, so the CPU computes more slowly than it could; unset the DOTNET_Enable", result.Error);
        Assert.Matches(@"cpu, \d+ threads?, 128-bit vectors \(the processor has (256|512)-bit vectors\)", result.Error);
    }

    [Fact]
    public void Widest_vectors_are_not_reported()
    {
        ProcessResult result = ProcessResult.Of(new ProcessStartInfo("dotnet", verboseChat));

        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain("the processor has", result.Error, StringComparison.Ordinal);
    }
}
