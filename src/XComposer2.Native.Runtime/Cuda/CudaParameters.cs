using System.Collections.Immutable;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>Parameters in device memory: one block for each part, in the order of the parameters. What the host asks for is a copy, which goes back before the device works on.</summary>
internal sealed class CudaParameters : IParameterMemory
{
    private readonly CudaDeviceState state;
    private readonly long[] offsets;
    private readonly long partBytes;
    private readonly DeviceMemory[] parts = new DeviceMemory[4];
    private readonly DeviceMemory sums;
    private readonly double[] squares;
    private readonly Dictionary<string, int> byName = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Parameter, ParameterPart Part), float[]> onHost = [];

    public CudaParameters(IReadOnlyList<ParameterSpec> parameters, CudaDeviceState state)
    {
        this.state = state;
        Parameters = [.. parameters];
        offsets = new long[Parameters.Length];
        for (int i = 0; i < offsets.Length; i++)
        {
            byName.Add(Parameters[i].Name, i);
            offsets[i] = partBytes;
            partBytes = checked(partBytes + MemoryPlanner.Align(BytesOf(i)));
        }

        squares = new double[SumOfSquares.Blocks(partBytes / sizeof(float))];
        try
        {
            for (int i = 0; i < parts.Length; i++)
            {
                parts[i] = DeviceMemory.Allocate(state.Context, Math.Max(1, partBytes));
                state.Stream.Fill(parts[i].Span, 0);
            }

            sums = DeviceMemory.Allocate(state.Context, Math.Max(1, squares.Length) * sizeof(double));
            state.Kernels.Prepare([new AdamW(), new SumOfSquares()], state.CompileProgress);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ImmutableArray<ParameterSpec> Parameters { get; }

    public long TotalBytes => 4 * partBytes;

    /// <summary>Bytes of values, gradients and means of parameters, and of the sums of squares.</summary>
    public static long BytesFor(IEnumerable<ParameterSpec> parameters)
    {
        long part = parameters.Sum(parameter => MemoryPlanner.Align(parameter.Shape.ElementCount * sizeof(float)));
        return checked((4 * part) + ((long)SumOfSquares.Blocks(part / sizeof(float)) * sizeof(double)));
    }

    /// <summary>Type and shape: graphs of this backend read the values where they are.</summary>
    public HostTensor Weight(int parameter) => new(0, DType.F32, Parameters[parameter].Shape);

    /// <summary>A copy in host memory, which is uploaded before the device reads or changes parameters again; what was read before is then no longer theirs.</summary>
    public Span<float> Read(int parameter, ParameterPart part)
    {
        if (!onHost.TryGetValue((parameter, part), out float[]? values))
        {
            values = new float[Parameters[parameter].Shape.ElementCount];
            if (values.Length > 0)
                state.Stream.CopyToHost<float>(values, SpanOf(parameter, part));
            onHost.Add((parameter, part), values);
        }

        return values;
    }

    /// <summary>Where a trained weight lies; null where it is no parameter.</summary>
    public DevicePointer? ValuesOf(string weight, Shape shape) => Find(weight, shape) is { } parameter ? SpanOf(parameter, ParameterPart.Values).Pointer : null;

    /// <summary>Where the gradient of a weight lies; null where it is no parameter.</summary>
    public DevicePointer? GradientOf(string weight, Shape shape) => Find(weight, shape) is { } parameter ? SpanOf(parameter, ParameterPart.Gradient).Pointer : null;

    /// <summary>Uploads what the host may have written.</summary>
    public void Upload()
    {
        foreach (((int parameter, ParameterPart part), float[] values) in onHost)
            if (values.Length > 0)
                state.Stream.CopyToDevice<float>(SpanOf(parameter, part), values);
        onHost.Clear();
    }

    public void ClearGradients()
    {
        Upload();
        if (partBytes > 0)
            state.Stream.Fill(parts[(int)ParameterPart.Gradient].Span, 0);
    }

    public double GradientNorm()
    {
        Upload();
        if (squares.Length == 0)
            return 0;
        var kernel = new SumOfSquares();
        long count = partBytes / sizeof(float);
        // What lies between parameters is zero.
        state.Kernels.Get(kernel).Launch(
            state.Stream, kernel.Geometry(count), new SumOfSquaresArguments(parts[(int)ParameterPart.Gradient].Span.Pointer, sums.Span.Pointer, (ulong)count));
        state.Stream.CopyToHost<double>(squares, sums.Span.Slice(0, (long)squares.Length * sizeof(double)));
        double sum = 0;
        foreach (double square in squares)
            sum += square;
        return Math.Sqrt(sum);
    }

    public void Update(AdamWSettings settings, int number, double clip, ReadOnlySpan<ParameterRate> rates)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        ArgumentOutOfRangeException.ThrowIfNotEqual(rates.Length, offsets.Length, nameof(rates));
        Upload();
        var kernel = new AdamW();
        CudaKernel loaded = state.Kernels.Get(kernel);
        double first = 1 - Math.Pow(settings.Beta1, number), second = 1 - Math.Pow(settings.Beta2, number);
        for (int i = 0; i < offsets.Length; i++)
        {
            (double rate, double decay) = rates[i];
            long count = Parameters[i].Shape.ElementCount;
            loaded.Launch(state.Stream, kernel.Geometry(count), new AdamWArguments(
                SpanOf(i, ParameterPart.Values).Pointer, SpanOf(i, ParameterPart.Gradient).Pointer, SpanOf(i, ParameterPart.FirstMoment).Pointer, SpanOf(i, ParameterPart.SecondMoment).Pointer, (ulong)count,
                (float)settings.Beta1, (float)settings.Beta2, (float)settings.Epsilon, (float)(1 - (rate * decay)), (float)(rate / first), (float)Math.Sqrt(second), (float)clip));
        }
    }

    public void Dispose()
    {
        foreach (DeviceMemory? part in parts)
            part?.Dispose();
        sums?.Dispose();
    }

    private int? Find(string weight, Shape shape) => byName.TryGetValue(weight, out int parameter) && Parameters[parameter].Shape == shape ? parameter : null;

    private long BytesOf(int parameter) => Parameters[parameter].Shape.ElementCount * sizeof(float);

    private DeviceSpan SpanOf(int parameter, ParameterPart part) => parts[(int)part].Span.Slice(offsets[parameter], BytesOf(parameter));
}
