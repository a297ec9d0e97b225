using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Chosen rows of an F32 matrix.</summary>
/// <param name="Output">Type of the result.</param>
/// <param name="Columns">Columns, a multiple of 4.</param>
public sealed record SelectRows(KernelStorage Output, int Columns) : RowKernel(Columns)
{
    public override string Source => "embedding/select_rows.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<SelectRowsArguments>();

    protected override IEnumerable<(string Name, string Value)> Definitions => [.. base.Definitions, ("OUTPUT", Output.CudaName())];

    public KernelCost Cost(int rows) => new((long)rows * Columns * (sizeof(float) + Output.ElementBytes()), 0);
}
