using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.KernelCompileTests;

public sealed class KernelResourcesTests
{
    [Fact]
    public void A_report_is_read()
    {
        KernelResources resources = KernelResources.Parse("""
            ptxas info    : 40 bytes gmem, 80 bytes cmem[4]
            ptxas info    : Compiling entry function 'sample_token' for 'sm_75'
            ptxas info    : Function properties for sample_token
            ptxas         .     32 bytes stack frame, 40 bytes spill stores, 96 bytes spill loads
            ptxas info    : Used 64 registers, 32 bytes cumulative stack size, 41088 bytes smem, 400 bytes cmem[0], 88 bytes cmem[2]
            """);
        Assert.Equal(new KernelResources(64, 41088, 32, 136), resources);
        Assert.True(resources.Spills);
    }

    [Fact]
    public void Without_shared_memory_there_is_none()
    {
        KernelResources resources = KernelResources.Parse("""
            ptxas info    : Function properties for select_rows
            ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
            ptxas info    : Used 24 registers
            """);
        Assert.Equal(new KernelResources(24, 0, 0, 0), resources);
        Assert.False(resources.Spills);
    }

    [Fact]
    public void No_report_is_an_error_that_shows_what_was_there() =>
        Assert.Contains("found 'nothing'", Assert.Throws<FormatException>(() => KernelResources.Parse("nothing\n")).Message, StringComparison.Ordinal);
}
