using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>A lowered linear in the kernels' words.</summary>
internal static class LinearForms
{
    public static LinearForm Of(FusedLinearOp operation, CudaBinder binder)
    {
        (int rows, int columns) = binder.SizeOf(operation.Weight);
        return new LinearForm
        {
            Storage = binder.Storage,
            Weights = operation.WeightScale is null ? WeightFormat.Storage : WeightFormat.Int8,
            InFeatures = columns,
            OutFeatures = rows,
            Finish = operation.Epilogue switch
            {
                LinearEpilogue.Gated => LinearFinish.Gated,
                LinearEpilogue.RopeKvAppend => LinearFinish.RopeKvAppend,
                _ => LinearFinish.Plain,
            },
            Activation = operation.Activation,
            HasBias = operation.Bias is not null,
            HasResidual = operation.Residual is not null,
            StoresFloat = operation.Epilogue == LinearEpilogue.Plain && binder.Spec(operation.Output).Type == DType.F32,
            Heads = operation.Rope?.Geometry ?? default,
        };
    }
}
