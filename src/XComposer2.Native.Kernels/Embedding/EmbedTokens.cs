using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Text ids looked up in the table, visual rows copied, into the residual stream.</summary>
/// <param name="Storage">Type of the table: floating, or I8 with a scale a row.</param>
/// <param name="Columns">Columns, a multiple of 4.</param>
public sealed record EmbedTokens(DType Storage, int Columns) : RowKernel<EmbedTokensOp>(Columns)
{
    public override string Source => "embedding/embed_tokens.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<EmbedTokensArguments>();

    protected override IEnumerable<(string Name, string Value)> Definitions => Storage == DType.I8 ? [.. base.Definitions, ("STORAGE", "i8"), ("TABLE_SCALES", "1")] : [.. base.Definitions, ("STORAGE", Storage.CudaName())];

    public KernelCost Cost(int textRows, int visualRows) => new(Columns * ((long)(textRows * (sizeof(float) + Storage.ElementBytes())) + (2L * visualRows * sizeof(float))), 0);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => RowCases.Of(this, context);

    protected override KernelLaunch Resolve(EmbedTokensOp operation, IKernelOperands operands)
    {
        KernelOperand ids = operands.Operand(operation.Ids), output = operands.Operand(operation.Output);
        KernelOperand? visual = operands.Operand(operation.Visual), visualRow = operands.Operand(operation.VisualRow);
        DeviceMatrix table = operands.EmbeddingTable(operation.Table);
        uint vocabulary = (uint)operands.Spec(operation.Table.Elements).Shape[0];
        return (kernel, in run) =>
        {
            int tokens = ids.Rows(run);
            kernel.Launch(run.Stream, Geometry(tokens), new EmbedTokensArguments(
                ids.Pointer(run), table.Elements, table.Scales, visual.Pointer(run), visualRow.Pointer(run), output.Pointer(run), (uint)tokens, vocabulary, (uint)(visual?.Rows(run) ?? 0)));
        };
    }
}

/// <summary>As <c>embedding/embed_tokens.cu</c> declares it.</summary>
/// <param name="Ids">I32 [tokens].</param>
/// <param name="Table">[vocabulary, columns].</param>
/// <param name="TableScale">F32 [vocabulary]; null where the table has floating numbers.</param>
/// <param name="Visual">F32 [visual rows, columns]; null for none.</param>
/// <param name="VisualRow">I32 [tokens], negative for text; null where all is text.</param>
/// <param name="Output">F32 [tokens, columns].</param>
/// <param name="Tokens">Tokens.</param>
/// <param name="Vocabulary">Rows of the table.</param>
/// <param name="VisualRows">Rows of the visual matrix.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct EmbedTokensArguments(DevicePointer Ids, DevicePointer Table, DevicePointer TableScale, DevicePointer Visual, DevicePointer VisualRow, DevicePointer Output, uint Tokens, uint Vocabulary, uint VisualRows);
