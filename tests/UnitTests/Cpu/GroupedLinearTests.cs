using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Linears of weights in groups: bit for bit what they are with the same weights as floats.</summary>
public sealed unsafe class GroupedLinearTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Rows, inputs, outputs, format.</summary>
    public static TheoryData<int, int, int, WeightFormat> Cases => new()
    {
        { 1, 8, 1, WeightFormat.Grouped(4, 8) }, { 1, 520, 31, WeightFormat.Grouped(4, 32) }, { 2, 264, 49, WeightFormat.Grouped(8, 128, true) },
        { 5, 328, 17, WeightFormat.Grouped(4, 64, true, true) }, { 16, 72, 40, WeightFormat.Grouped(8, 32) }, { 17, 104, 49, WeightFormat.Grouped(4, 32, true) },
        { 70, 264, 97, WeightFormat.Grouped(4, 128, false, true) },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_linear_is_bit_for_bit_that_of_the_same_floats(int rows, int inputs, int outputs, WeightFormat format)
    {
        using NativeFloats x = NativeFloats.Random(rows * inputs, 1), stored = NativeFloats.Random(outputs * inputs, 2, 0.1), floats = new(outputs * inputs);
        using var quantised = GroupedIntegers.Quantize(new HostTensor(stored.Data, DType.F32, new Shape(outputs, inputs)), format, "w", Cancellation);
        if (format.HasGroupIndex)
            Shuffle(new Span<int>((void*)quantised[WeightPart.GroupIndex].Data, inputs));
        for (int i = 0; i < outputs * inputs; i++)
            floats.Span[i] = (float)StoredWeights.Value(quantised, format, i / inputs, i % inputs, inputs);
        var weight = new WeightMatrix(
            format, outputs, inputs, quantised[WeightPart.Elements].Data, quantised[WeightPart.Scales].Data,
            format.HasZeroPoints ? quantised[WeightPart.ZeroPoints].Data : 0, format.HasGroupIndex ? quantised[WeightPart.GroupIndex].Data : 0);
        foreach (int width in Accuracy.Widths)
            foreach (int threads in new[] { 1, 3 })
                Accuracy.Same(Run(WeightMatrix.Of(floats.Matrix(outputs, inputs)), threads, width), Run(weight, threads, width), $"{format}, {width} bits, {threads} threads");

        float[] Run(WeightMatrix matrix, int threads, int width)
        {
            using var pool = new WorkerPool(threads);
            using var output = new NativeFloats(rows * outputs, "output");
            long scratchBytes = LinearKernel.ScratchBytes(rows, inputs, outputs, 0, threads);
            using var scratch = new NativeFloats(checked((int)(scratchBytes / sizeof(float))), "scratch");
            LinearKernel.Run(x.Pointer, rows, matrix, null, Activation.None, null, null, null, output.Pointer, scratch.Pointer, scratchBytes, pool, (VectorWidth)width);
            return output.Span.ToArray();
        }
    }

    [Fact]
    public void A_weight_without_one_of_its_parts_is_refused()
    {
        using NativeFloats memory = NativeFloats.Random(64, 1);
        var weight = new WeightMatrix(WeightFormat.Grouped(4, 8, true, true), 2, 8, memory.Data, memory.Data, memory.Data, memory.Data);
        using var pool = new WorkerPool(1);
        Refused(weight with { Scales = 0 }, "Scales F16 [2, 1]");
        Refused(weight with { ZeroPoints = 0 }, "ZeroPoints U8 [2, 1]");
        Refused(weight with { GroupIndex = 0 }, "GroupIndex I32 [8]");

        void Refused(WeightMatrix matrix, string words) => Assert.Contains(words, Assert.ThrowsAny<ArgumentException>(() =>
            LinearKernel.Run(memory.Pointer, 1, matrix, null, Activation.None, null, null, null, memory.Pointer + 32, null, 0, pool)).Message, StringComparison.Ordinal);
    }

    private static void Shuffle(Span<int> groups) => new Random(7).Shuffle(groups);
}
