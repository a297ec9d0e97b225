using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Rows of weights as 8-bit integers with one scale a row: max |w| / 127, rounded to nearest even. The model room's Int8Rows gives the same bits.</summary>
public sealed record QuantizeInt8 : KernelDefinition
{
    /// <param name="storage">Type of the weights.</param>
    /// <param name="columns">Elements of a row.</param>
    public QuantizeInt8(KernelStorage storage, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        Storage = storage;
        Columns = columns;
    }

    public KernelStorage Storage { get; }

    public int Columns { get; }

    public override string Source => "quantization/quantize_int8.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<QuantizeInt8Arguments>();

    public override int BlockThreads => 256;

    protected override IEnumerable<(string Name, string Value)> Definitions => [("STORAGE", Storage.CudaName()), ("COLUMNS", Number(Columns))];

    /// <summary>One block a row.</summary>
    public LaunchGeometry Geometry(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        return new LaunchGeometry(rows, BlockThreads);
    }

    public KernelCost Cost(int rows) => new(rows * (((long)Columns * (Storage.ElementBytes() + sizeof(byte))) + sizeof(float)), rows * (long)Columns);
}
