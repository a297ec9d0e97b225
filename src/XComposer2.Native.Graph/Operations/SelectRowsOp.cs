using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>Row i of the output is row Rows[i] of the input. Input [tokens, columns] F32; Rows [logits] I32; Output [logits, columns] F32.</summary>
public sealed record SelectRowsOp(Tensor Input, Tensor Rows, Tensor Output) : Operation(Output)
{
    public override string Name => "select_rows";

    public override ImmutableArray<Tensor> Inputs => Present(Input, Rows);
}
