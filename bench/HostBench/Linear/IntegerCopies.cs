using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.HostBench;

/// <summary>Packed random integers of one shape, in as many copies as it takes that none is in a cache when its turn comes.</summary>
internal sealed unsafe class IntegerCopies : IDisposable
{
    private readonly PackedIntegers[] copies = [];

    /// <param name="shape">Without integers, nothing is made.</param>
    /// <param name="poolBytes">Bytes of all copies, at least; two are made anyway, for a gated linear.</param>
    public IntegerCopies(LinearShape shape, long poolBytes)
    {
        if (shape.Integers is not { } format)
            return;
        using NativeBuffer elements = NativeBuffer.Random(format.Elements.Bytes((long)shape.Inputs * shape.Outputs), sixteenBit: true);
        using var scales = new NativeBuffer((long)shape.Outputs * format.Groups(shape.Inputs) * sizeof(float));
        new Span<Half>((void*)scales.Data, (int)(scales.Bytes / 2)).Fill((Half)0.01f);
        if (format.HasRowScales)
            new Span<float>((void*)scales.Data, (int)(scales.Bytes / sizeof(float))).Fill(0.01f);
        var weight = new WeightMatrix(format, shape.Outputs, shape.Inputs, elements.Data, scales.Data);
        long bytes = PackedIntegers.BytesOf(format, shape.Outputs, shape.Inputs, DotInstructionSets.Best);
        copies = new PackedIntegers[(int)Math.Max(2, poolBytes / bytes)];
        for (int i = 0; i < copies.Length; i++)
            copies[i] = PackedIntegers.Pack(weight, DotInstructionSets.Best);
    }

    public WeightMatrix this[int turn] => WeightMatrix.Of(copies[turn % copies.Length]);

    public void Dispose()
    {
        foreach (PackedIntegers copy in copies)
            copy.Dispose();
    }
}
