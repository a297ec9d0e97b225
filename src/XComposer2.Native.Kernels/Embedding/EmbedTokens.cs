using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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

/// <summary>As <c>embedding/embed_tokens.cu</c> declares it.</summary>
/// <param name="Ids">I32 [tokens].</param>
/// <param name="Table">[vocabulary, columns].</param>
/// <param name="Visual">F32 [visual rows, columns]; null for none.</param>
/// <param name="VisualRow">I32 [tokens], negative for text; null where all is text.</param>
/// <param name="Output">F32 [tokens, columns].</param>
/// <param name="Tokens">Tokens.</param>
/// <param name="Vocabulary">Rows of the table.</param>
/// <param name="VisualRows">Rows of the visual matrix.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct EmbedTokensArguments(DevicePointer Ids, DevicePointer Table, DevicePointer Visual, DevicePointer VisualRow, DevicePointer Output, uint Tokens, uint Vocabulary, uint VisualRows);
