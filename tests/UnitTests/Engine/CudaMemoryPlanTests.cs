using XComposer2.Native.Cli;
using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>What a model takes on a GPU; that it is what is really uploaded, the device's own tests show.</summary>
public sealed class CudaMemoryPlanTests
{
    private const string Preset = "internlm-xcomposer2-vl-7b";

    private const long EmbeddingBytes = 92544L * 4096 * 2;

    [Fact]
    public void Embeddings_in_host_memory_leave_the_GPU_by_their_size()
    {
        ModelMemoryPlan device = ModelMemoryPlan.ForPresetOnCuda(Preset, 4096, new DeviceOptions());
        ModelMemoryPlan host = ModelMemoryPlan.ForPresetOnCuda(Preset, 4096, new DeviceOptions { Embeddings = EmbeddingPlace.Host });
        Assert.Equal(EmbeddingBytes, device.TotalBytes - host.TotalBytes);
        Assert.Equal(EmbeddingBytes, Assert.Single(host.PageLocked).Bytes);
        Assert.Empty(device.PageLocked);
    }

    [Fact]
    public void The_7B_takes_its_weights_and_a_cache_of_16_bits()
    {
        ModelMemoryPlan plan = ModelMemoryPlan.ForPresetOnCuda(Preset, 4096, new DeviceOptions { Storage = DType.F16 });
        // 8.67 billion weights with Partial LoRA, vision tower and projector; 65 pages of 32 layers, 8 heads of 128, keys and values.
        Assert.InRange(plan.Weights.Bytes, 17_000_000_000, 17_600_000_000);
        Assert.Equal(65L * 64 * 32 * 8 * 128 * 2 * 2, plan.Allocated.Items[0].Bytes);
        Assert.Equal(DeviceKind.Cuda, plan.Device);
        Assert.Equal(["vision", "prefill", "decode"], plan.Plans.Select(each => each.Graph.Name));
    }

    [Fact]
    public async Task The_command_line_plans_for_a_GPU_that_is_not_there()
    {
        using CliHarness xc2 = new();
        Assert.Equal(ExitCode.Done, await xc2.RunAsync("plan", "--preset", Preset, "--device", "cuda", "--embeddings", "host"));
        Assert.Contains("weights, BF16 ", xc2.Output, StringComparison.Ordinal);
        Assert.Contains("token embeddings, BF16, in page-locked host memory         758.12 MB", xc2.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("this machine's memory", xc2.Output, StringComparison.Ordinal);
    }
}
