using XComposer2.Native.Cuda;
using XComposer2.Native.KernelBench;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>What <c>xc2 bench kernels</c> launches and no model does yet: it compiles too, so that a run on a rented card does not end at the first of them.</summary>
public sealed class BenchmarkCompileTests(CompiledMatrix matrix) : IClassFixture<CompiledMatrix>
{
    [Theory]
    [InlineData("sm_75", KernelStorage.F16, 46, 1024)]
    [InlineData("sm_80", KernelStorage.BF16, 108, 2048)]
    [InlineData("sm_89", KernelStorage.BF16, 128, 1536)]
    [InlineData("sm_90a", KernelStorage.BF16, 132, 2048)]
    public void Every_case_of_the_7B_compiles_and_spills_nothing(string target, KernelStorage storage, int multiprocessors, int threads)
    {
        DeviceShape device = new(KernelMatrix.CapabilityOf(target), multiprocessors, threads);
        KernelSizes sizes = ModelKernels.SizesOf(ModelPresets.Find("internlm-xcomposer2-vl-7b"));
        KernelDefinition[] definitions = [.. CaseCatalog.For(sizes, storage, device, CaseSizes.Full).Select(item => item.Definition).Distinct()];
        Cubin[] cubins = matrix.Compile(definitions, target);
        string[] spilling = [.. definitions.Zip(cubins).Where(pair => KernelResources.Parse(pair.Second.Log).Spills).Select(pair => $"{pair.First}: {KernelResources.Parse(pair.Second.Log)}")];
        Assert.True(spilling.Length == 0, string.Join('\n', spilling));
    }
}
