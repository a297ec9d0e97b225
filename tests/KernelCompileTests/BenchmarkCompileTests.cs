using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>What <c>xc2 bench kernels</c> launches and no model does yet: it compiles too, so that a run on a rented card does not end at the first of them.</summary>
public sealed class BenchmarkCompileTests(CompiledMatrix matrix) : IClassFixture<CompiledMatrix>
{
    [Theory]
    [InlineData("sm_75", DType.F16, 46)]
    [InlineData("sm_80", DType.BF16, 108)]
    [InlineData("sm_89", DType.BF16, 128)]
    [InlineData("sm_90a", DType.BF16, 132)]
    public void Every_case_of_the_7B_compiles_and_spills_nothing(string target, DType storage, int multiprocessors)
    {
        DeviceFacts device = new(KernelMatrix.CapabilityOf(target), multiprocessors);
        IReadOnlyList<KernelDefinition> kernels = ModelCatalog.KernelsOf(ModelPresets.Find(ModelPresets.VisionLanguage7B), storage, device.Capability);
        KernelDefinition[] definitions = [.. CaseCatalog.For(kernels, device, CaseSizes.Full).Select(item => item.Definition).Distinct()];
        Cubin[] cubins = matrix.Compile(definitions, target);
        string[] spilling = [.. definitions.Zip(cubins).Where(pair => KernelResources.Parse(pair.Second.Log).Spills).Select(pair => $"{pair.First}: {KernelResources.Parse(pair.Second.Log)}")];
        Assert.True(spilling.Length == 0, string.Join('\n', spilling));
    }
}
