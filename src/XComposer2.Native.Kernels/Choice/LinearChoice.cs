using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>Linears: few rows run in the kernel that streams the weights once, others in tiles.</summary>
internal static class LinearChoice
{
    // Of a prompt, its head's: with so few rows the weights take all of the time.
    private const int StreamedRows = 8;

    public static OperationKernel Choose(FusedLinearOp linear, ComputeGraph graph, int rows, DeviceFacts device) => IsStreamed(linear, graph, rows)
        ? Streamed(linear, graph, rows, device.Capability)
        : LinearTiles.Choose(device, FormOf(linear, graph), rows, linear.Lora?.Rank ?? 0);

    /// <summary>Every kernel that some card of the generation is given for some number of rows of the graph.</summary>
    public static IEnumerable<OperationKernel> Candidates(FusedLinearOp linear, ComputeGraph graph, ComputeCapability capability)
    {
        TensorSpec result = graph[linear.Output];
        if (IsStreamed(linear, graph, result.Rows.PerUnit))
            foreach (int rows in LinearDecode.SizesFor(graph.HasOneRowPerSequence ? result.Shape[0] : Math.Min(StreamedRows, result.Shape[0])))
                yield return Streamed(linear, graph, rows, capability);
        if (IsStreamed(linear, graph, result.Shape[0]))
            yield break;
        foreach (OperationKernel kernel in LinearTiles.Candidates(capability, FormOf(linear, graph), result.Rows.PerUnit, result.Shape[0], linear.Lora?.Rank ?? 0))
            yield return kernel;
    }

    /// <summary>A lowered linear in the kernels' words.</summary>
    public static LinearForm FormOf(FusedLinearOp linear, ComputeGraph graph) => new()
    {
        Storage = linear.Storage,
        Weights = linear.Format,
        InFeatures = graph[linear.Input].RowElements,
        OutFeatures = OutFeatures(linear, graph),
        Epilogue = linear.Epilogue,
        Activation = linear.Activation,
        HasBias = linear.Bias is not null,
        HasResidual = linear.Residual is not null,
        HasHalfSums = linear.HasHalfSums && linear is { Storage: DType.F16, Format.IsFloat: true },
        StoresFloat = linear.Epilogue == LinearEpilogue.Plain && graph[linear.Output].Type == DType.F32,
        Heads = linear.Rope?.Geometry ?? default,
    };

    // Tiles have no norm; the streaming kernel has no Partial LoRA. Generated tokens are always streamed: none may depend on how many are generated with it.
    private static bool IsStreamed(FusedLinearOp linear, ComputeGraph graph, int rows) =>
        graph.HasOneRowPerSequence || linear.Norm is not null || (linear.Lora is null && rows <= StreamedRows);

    private static LinearDecode Streamed(FusedLinearOp linear, ComputeGraph graph, int rows, ComputeCapability capability)
    {
        LinearForm form = FormOf(linear, graph) with { HasHalfSums = false };
        bool hasNorm = linear.Norm is not null;
        // A graph of one row never has more; in others one row is among eight, as everywhere.
        int most = rows == 1 && graph[linear.Output].Shape[0] > 1 ? 2 : rows;
        return new LinearDecode(form, hasNorm, most, LinearDecode.CanStage(form, hasNorm, most, capability));
    }

    private static int OutFeatures(FusedLinearOp linear, ComputeGraph graph) => linear.Epilogue switch
    {
        LinearEpilogue.Gated => 2 * graph[linear.Output].RowElements,
        LinearEpilogue.RopeKvAppend => linear.Rope!.Value.Geometry.PackedColumns,
        _ => graph[linear.Output].RowElements,
    };
}
