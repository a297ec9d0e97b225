using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Text ids looked up in the table, visual rows copied, into the residual stream.</summary>
/// <param name="Storage">Type of the table.</param>
/// <param name="Columns">Columns, a multiple of 4.</param>
public sealed record EmbedTokens(KernelStorage Storage, int Columns) : RowKernel(Columns)
{
    public override string Source => "embedding/embed_tokens.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<EmbedTokensArguments>();

    protected override IEnumerable<(string Name, string Value)> Definitions => [.. base.Definitions, ("STORAGE", Storage.CudaName())];

    public KernelCost Cost(int textRows, int visualRows) => new(Columns * ((long)(textRows * (sizeof(float) + Storage.ElementBytes())) + (2L * visualRows * sizeof(float))), 0);
}
