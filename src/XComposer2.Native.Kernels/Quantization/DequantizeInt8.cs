using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Rows of 8-bit integers with one scale a row as floating numbers, rounded once.</summary>
public sealed record DequantizeInt8 : KernelDefinition
{
    /// <param name="storage">Type of the results.</param>
    /// <param name="columns">Elements of a row.</param>
    public DequantizeInt8(KernelStorage storage, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        Storage = storage;
        Columns = columns;
    }

    public KernelStorage Storage { get; }

    public int Columns { get; }

    public override string Source => "quantization/dequantize_int8.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<DequantizeInt8Arguments>();

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
