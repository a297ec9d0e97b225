using System.Collections.Immutable;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>A linear with everything around it that one kernel does.</summary>
/// <param name="Input">[rows, in].</param>
/// <param name="Weight">[out, in]; [2 out, in] for gate and up.</param>
/// <param name="WeightScale">[out] F32, in the order of the weight's rows, which are 8-bit integers then; null where they are of the storage type.</param>
/// <param name="Norm">Null where the input is normed already, or not at all.</param>
/// <param name="Bias">Name of the weight [out]; null for none.</param>
/// <param name="Activation">Before the residual.</param>
/// <param name="Residual">[rows, out] F32; null for none.</param>
/// <param name="Lora">Null for none.</param>
/// <param name="Rope">Null where the epilogue is another.</param>
/// <param name="Epilogue">What happens before storing.</param>
/// <param name="Output">[rows, out]; the queries where keys and values go to the cache.</param>
internal sealed record FusedLinearOp(
    Tensor Input,
    CudaWeight Weight,
    CudaWeight? WeightScale,
    FusedNorm? Norm,
    string? Bias,
    Activation Activation,
    Tensor? Residual,
    FusedLora? Lora,
    FusedRope? Rope,
    LinearEpilogue Epilogue,
    Tensor Output) : Operation(Output)
{
    public override string Name => "fused_linear";

    public override ImmutableArray<Tensor> Inputs
    {
        get
        {
            var inputs = ImmutableArray.CreateBuilder<Tensor>();
            inputs.Add(Input);
            if (Residual is { } residual)
                inputs.Add(residual);
            if (Lora is { } lora)
                inputs.AddRange(lora.Down, lora.VisualRow);
            return inputs.ToImmutable();
        }
    }
}
