using System.Collections.Immutable;
using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Parameters in host memory: one block for each part, in the order of the parameters.</summary>
internal sealed unsafe class CpuParameters : IParameterMemory
{
    private readonly WorkerPool pool;
    private readonly long[] offsets;
    private readonly HostMemory[] blocks;
    private readonly Dictionary<string, int> byName = new(StringComparer.Ordinal);

    public CpuParameters(IReadOnlyList<ParameterSpec> parameters, WorkerPool pool)
    {
        this.pool = pool;
        Parameters = [.. parameters];
        offsets = new long[Parameters.Length];
        long bytes = 0;
        for (int i = 0; i < offsets.Length; i++)
        {
            byName.Add(Parameters[i].Name, i);
            offsets[i] = bytes;
            bytes = checked(bytes + MemoryPlanner.Align(Parameters[i].Shape.ElementCount * sizeof(float)));
        }

        TotalBytes = checked(4 * bytes);
        blocks = new HostMemory[4];
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i] = new HostMemory(bytes, $"{(ParameterPart)i} of {Parameters.Length} trained weights");
            for (int parameter = 0; parameter < offsets.Length; parameter++)
                Read(parameter, (ParameterPart)i).Clear();
        }
    }

    public ImmutableArray<ParameterSpec> Parameters { get; }

    public long TotalBytes { get; }

    public HostTensor Weight(int parameter) => new((nint)Address(parameter, ParameterPart.Values), DType.F32, Parameters[parameter].Shape);

    public Span<float> Read(int parameter, ParameterPart part) => new(Address(parameter, part), checked((int)Parameters[parameter].Shape.ElementCount));

    /// <summary>The gradient of a weight; null where it is not a parameter.</summary>
    public float* GradientOf(string weight, Shape shape) =>
        byName.TryGetValue(weight, out int parameter) && Parameters[parameter].Shape == shape ? Address(parameter, ParameterPart.Gradient) : null;

    public void ClearGradients()
    {
        for (int i = 0; i < offsets.Length; i++)
            Read(i, ParameterPart.Gradient).Clear();
    }

    public double GradientNorm()
    {
        double sum = 0;
        for (int i = 0; i < offsets.Length; i++)
            sum += AdamWKernel.SumOfSquares(Address(i, ParameterPart.Gradient), Parameters[i].Shape.ElementCount, pool);
        return Math.Sqrt(sum);
    }

    public void Update(AdamWSettings settings, int number, double clip, ReadOnlySpan<ParameterRate> rates)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(rates.Length, offsets.Length, nameof(rates));
        double first = 1 - Math.Pow(settings.Beta1, number), second = 1 - Math.Pow(settings.Beta2, number);
        for (int i = 0; i < offsets.Length; i++)
        {
            (double rate, double decay) = rates[i];
            var factors = new AdamWFactors(
                (float)settings.Beta1, (float)settings.Beta2, (float)settings.Epsilon, (float)(1 - (rate * decay)), (float)(rate / first), (float)Math.Sqrt(second), (float)clip);
            AdamWKernel.Run(
                Address(i, ParameterPart.Values), Address(i, ParameterPart.Gradient), Address(i, ParameterPart.FirstMoment), Address(i, ParameterPart.SecondMoment),
                Parameters[i].Shape.ElementCount, factors, pool);
        }
    }

    public void Dispose()
    {
        foreach (HostMemory block in blocks)
            block.Dispose();
    }

    private float* Address(int parameter, ParameterPart part) => (float*)(blocks[(int)part].Start + offsets[parameter]);
}
