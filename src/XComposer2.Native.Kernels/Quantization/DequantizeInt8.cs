using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Rows of 8-bit integers with one scale a row as floating numbers, rounded once. Columns are in the model's order, not in that of
/// <see cref="Int8ColumnOrder"/>.</summary>
public sealed record DequantizeInt8 : KernelDefinition
{
    private const int WidestPack = 4;

    /// <param name="storage">Type of the results.</param>
    /// <param name="columns">Elements of a row, which decide how many are moved at once.</param>
    public DequantizeInt8(KernelStorage storage, int columns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        Storage = storage;
        Pack = columns % WidestPack == 0 ? WidestPack : 1;
    }

    public KernelStorage Storage { get; }

    /// <summary>Elements of one access.</summary>
    public int Pack { get; }

    public override string Source => "quantization/dequantize_int8.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<DequantizeInt8Arguments>();

    public override int BlockThreads => 256;

    protected override IEnumerable<(string Name, string Value)> Definitions => [("STORAGE", Storage.CudaName()), ("PACK", Number(Pack))];

    /// <summary>One block a row.</summary>
    public LaunchGeometry Geometry(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        return new LaunchGeometry(rows, BlockThreads);
    }

    public KernelCost Cost(int rows, int columns) => new(rows * (((long)columns * (Storage.ElementBytes() + sizeof(byte))) + sizeof(float)), rows * (long)columns);
}

/// <summary>As <c>quantization/dequantize_int8.cu</c> declares it.</summary>
/// <param name="Quantized">I8 [rows, columns], aligned to 16 bytes.</param>
/// <param name="Scales">F32 [rows].</param>
/// <param name="Values">[rows, columns] of the storage type, aligned to 16 bytes.</param>
/// <param name="Columns">Elements of a row.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct DequantizeInt8Arguments(DevicePointer Quantized, DevicePointer Scales, DevicePointer Values, uint Columns);
