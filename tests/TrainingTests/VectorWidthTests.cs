using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>Backward kernels give the same at every vector width, up to rounding.</summary>
public sealed unsafe class VectorWidthTests : IDisposable
{
    private const int Rows = 37, Inputs = 67, Outputs = 53;

    private static readonly AttentionGeometry geometry = new(6, 2, 16);

    private readonly WorkerPool pool = new(2);
    private readonly byte[] scratch = GC.AllocateUninitializedArray<byte>(16 << 20, pinned: true);
    private readonly Random random = new(4);

    public void Dispose() => pool.Dispose();

    [Fact]
    public void Products_of_a_linear()
    {
        float[] g = Values(Rows * Outputs), x = Values(Rows * Inputs), w = Values(Outputs * Inputs);
        fixed (float* gradient = g, input = x, weight = w)
        fixed (byte* memory = scratch)
        {
            (nint a, nint b, nint c, nint m) = ((nint)gradient, (nint)input, (nint)weight, (nint)memory);
            Same(Rows * Inputs, (output, width) => LinearInputGradientKernel.Run(
                (float*)a, Rows, new WeightMatrix(WeightFormat.F32, Outputs, Inputs, c), 0.5f, null, (float*)b, output, (void*)m, scratch.Length, pool, width));
            Same(Outputs * Inputs, (output, width) => LinearWeightGradientKernel.Run(
                (float*)a, (float*)b, Rows, Outputs, Inputs, 2, null, output, (void*)m, scratch.Length, pool, width));
        }
    }

    [Fact]
    public void Attention_and_its_gradients()
    {
        float[] p = Values(Rows * geometry.PackedColumns), g = Values(Rows * geometry.QueryColumns);
        int[] starts = [.. Enumerable.Range(0, Rows).Select(row => row < Rows / 3 ? 0 : Rows / 3)];
        fixed (float* packed = p, gradient = g)
        fixed (int* first = starts)
        fixed (byte* memory = scratch)
        {
            (nint a, nint b, nint m, nint n) = ((nint)packed, (nint)gradient, (nint)memory, (nint)first);
            Same(Rows * geometry.QueryColumns, (output, width) => CausalAttentionKernel.Run((float*)a, (int*)n, Rows, geometry, output, (void*)m, scratch.Length, pool, width));
            Same(Rows * geometry.PackedColumns, (output, width) => AttentionGradientKernel.Causal((float*)b, (float*)a, (int*)n, Rows, geometry, output, (void*)m, scratch.Length, pool, width));
            Same(3 * Rows * geometry.QueryColumns, (output, width) => AttentionGradientKernel.Vision(
                (float*)b, (float*)b, (float*)a, (float*)b, 1, Rows, geometry.QueryHeads, geometry.HeadSize, output, (void*)m, scratch.Length, pool, width));
        }
    }

    [Fact]
    public void Norms_activations_and_losses()
    {
        float[] g = Values(Rows * Inputs), x = Values(Rows * Inputs), w = Values(Outputs * Inputs);
        int[] ids = [.. Enumerable.Range(0, Rows)];
        fixed (float* gradient = g, input = x, weight = w)
        fixed (int* targets = ids)
        fixed (byte* memory = scratch)
        {
            (nint a, nint b, nint c, nint m, nint t) = ((nint)gradient, (nint)input, (nint)weight, (nint)memory, (nint)targets);
            foreach (bool isCentred in (bool[])[false, true])
                Same(Rows * Inputs, (output, width) => NormGradientKernels.Input(
                    (float*)a, (float*)b, new FloatMatrix(c, DType.F32, 1, Inputs), 1e-5f, isCentred, (float*)a, output, Rows, Inputs, pool, width));
            foreach (Activation activation in (Activation[])[Activation.Gelu, Activation.QuickGelu])
            {
                Same(Rows * Inputs, (output, width) => PointwiseKernels.Activate((float*)a, activation, output, Rows * Inputs, pool, width));
                Same(Rows * Inputs, (output, width) => PointwiseKernels.ActivationGradient((float*)a, (float*)b, activation, output, Rows * Inputs, pool, width));
            }

            Same(Rows * Inputs, (output, width) => PointwiseKernels.SiluProductGradient((float*)a, (float*)b, (float*)c, output, Rows * Inputs, pool, width));
            Same(Rows, (output, width) => TokenLossKernel.Losses(Operands(), output, pool, width));
            Same(Rows * Inputs, (output, width) => TokenLossKernel.InputGradient(Operands(), (float*)a, output, pool, width));
            Same(Outputs * Inputs, (output, width) => TokenLossKernel.HeadGradient(Operands(), (float*)a, output, pool, width));

            TokenLossOperands Operands() => new()
            {
                Input = (float*)b, Rows = Rows, Head = new WeightMatrix(WeightFormat.F32, Outputs, Inputs, c), Targets = (int*)t, Scratch = (void*)m, ScratchBytes = scratch.Length,
            };
        }
    }

    [Fact]
    public void Steps_of_the_optimiser()
    {
        const int Count = 1003;
        float[] g = Values(Count);
        fixed (float* gradient = g)
        {
            nint a = (nint)gradient;
            Same(3 * Count, (output, width) =>
            {
                var factors = new AdamWFactors(0.9f, 0.95f, 1e-8f, 0.999f, 1e-3f, 0.3f, 0.5f);
                AdamWKernel.Run(output, (float*)a, output + Count, output + (2 * Count), Count, factors, pool, width);
                AdamWKernel.Run(output, (float*)a, output + Count, output + (2 * Count), Count, factors, pool, width);
            });
        }
    }

    private static void Same(int count, Kernel kernel)
    {
        float[] expected = Run(VectorWidth.Bits128);
        Assert.Contains(expected, value => value != 0);
        foreach (VectorWidth width in (VectorWidth[])[VectorWidth.Bits256, VectorWidth.Bits512])
            Assert.InRange(GoldenTraining.Distance(Run(width), expected), 0, 1e-6);

        float[] Run(VectorWidth width)
        {
            float[] result = new float[count];
            fixed (float* output = result)
                kernel(output, width);
            return result;
        }
    }

    private float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];

    private delegate void Kernel(float* output, VectorWidth width);
}
