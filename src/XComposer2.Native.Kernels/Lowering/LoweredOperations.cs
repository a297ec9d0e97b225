using System.Collections.Immutable;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>A linear with everything around it that one kernel does.</summary>
/// <param name="Input">[rows, in].</param>
/// <param name="Weight">[out, in]; [2 out, in] for gate and up.</param>
/// <param name="Format">Of the weight on the device: integers as the graph states them, else the storage type.</param>
/// <param name="Norm">Null where the input is normed already, or not at all.</param>
/// <param name="Bias">[out]; null for none.</param>
/// <param name="Activation">Before the residual.</param>
/// <param name="Residual">[rows, out] F32; null for none.</param>
/// <param name="Lora">Null for none.</param>
/// <param name="Rope">Null where the epilogue is another.</param>
/// <param name="Epilogue">What happens before storing.</param>
/// <param name="Storage">Type of weights (unless they have scales), bias, gain, and of input and output where those are not F32.</param>
/// <param name="Output">[rows, out]; the queries where keys and values go to the cache.</param>
/// <param name="Panel">The weight in the storage type, of <see cref="DequantizeOp"/>; null where the kernel reads it as it is.</param>
/// <param name="HasHalfSums">Products may be added as <see cref="HalfSums"/>.</param>
public sealed record FusedLinearOp(
    Tensor Input,
    CudaWeight Weight,
    WeightFormat Format,
    FusedNorm? Norm,
    CudaWeight? Bias,
    Activation Activation,
    Tensor? Residual,
    FusedLora? Lora,
    FusedRope? Rope,
    LinearEpilogue Epilogue,
    DType Storage,
    Tensor Output,
    Tensor? Panel = null,
    bool HasHalfSums = false) : Operation(Output)
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
            if (Lora?.Panel is { } up)
                inputs.Add(up);
            if (Panel is { } panel)
                inputs.Add(panel);
            return inputs.ToImmutable();
        }
    }

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        return this with
        {
            Input = input(Input),
            Residual = Residual is { } residual ? input(residual) : null,
            Lora = Lora is { } lora ? lora with { Down = input(lora.Down), VisualRow = input(lora.VisualRow), Panel = lora.Panel is { } up ? input(up) : null } : null,
            Output = output(Output),
            Panel = Panel is { } panel ? input(panel) : null,
        };
    }
}

/// <summary>A weight of integers in the storage type, for kernels that do not read its format: (q - zero) * scale, rounded once.</summary>
/// <param name="Weight">[out, in]; [2 out, in] for gate and up.</param>
/// <param name="Format">Of the weight.</param>
/// <param name="Storage">Of the panel.</param>
/// <param name="Output">The panel, of the weight's shape.</param>
public sealed record DequantizeOp(CudaWeight Weight, WeightFormat Format, DType Storage, Tensor Output) : Operation(Output)
{
    public override string Name => "dequantize";

    public override ImmutableArray<Tensor> Inputs => [];

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        return this with { Output = output(Output) };
    }
}

/// <summary>RMSNorm of a linear's input, done by the linear itself.</summary>
/// <param name="Gain">Name of the weight [in].</param>
/// <param name="Epsilon">Added to the mean of squares.</param>
public readonly record struct FusedNorm(string Gain, float Epsilon);

/// <summary>The upper half of Partial LoRA, added by the linear itself.</summary>
/// <param name="Down">T of <see cref="LoraDownOp"/> [rows, rank], or [rows, 2 rank] for gate and up.</param>
/// <param name="B">[out, rank], rows in the weight's order.</param>
/// <param name="Rank">Columns of B.</param>
/// <param name="VisualRow">[rows], negative for text.</param>
/// <param name="Panel">B in the storage type, of <see cref="DequantizeOp"/>; null where it is stored so.</param>
public sealed record FusedLora(Tensor Down, CudaWeight B, int Rank, Tensor VisualRow, Tensor? Panel = null);

/// <summary>Rotation and cache of the packed projection, done by the linear itself.</summary>
public readonly record struct FusedRope(int Layer, AttentionGeometry Geometry, float Theta);

/// <summary>T = scale * x Aᵀ on visual rows, zero on text rows. Input [rows, in]; A [rank, in]; Output [rows, rank]. Panel: A in the storage type, of
/// <see cref="DequantizeOp"/>; null where it is stored so.</summary>
public sealed record LoraDownOp(Tensor Input, CudaWeight A, int Rank, float Scale, Tensor VisualRow, Tensor Output, Tensor? Panel = null) : Operation(Output)
{
    public override string Name => "lora_down";

    public override ImmutableArray<Tensor> Inputs => Panel is { } panel ? [Input, VisualRow, panel] : [Input, VisualRow];

    public override Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        return this with { Input = input(Input), VisualRow = input(VisualRow), Panel = Panel is { } panel ? input(panel) : null, Output = output(Output) };
    }
}

/// <summary>A matrix as the kernels want it on the device: made of one or several of the checkpoint's, perhaps with its rows in another order.
/// Two that are equal are the same memory.</summary>
/// <param name="Name">Of the checkpoint's matrix.</param>
public abstract record CudaWeight(string Name)
{
    /// <summary>Further matrices of the checkpoint, in the order of their rows.</summary>
    public virtual IReadOnlyList<string> Others => [];

    /// <summary>A part of the same weight, its rows in the same order.</summary>
    public abstract CudaWeight Part(WeightPart part);
}

/// <summary>As stored.</summary>
public sealed record PlainWeight(string Name) : CudaWeight(Name)
{
    public override CudaWeight Part(WeightPart part) => new PlainWeight(WeightFormat.NameOf(Name, part));
}

/// <summary>Rows of two matrices in turns of eight, so that a channel's gate and up meet in one lane.</summary>
public sealed record GateUpWeight(string Name, string Up) : CudaWeight(Name)
{
    public override IReadOnlyList<string> Others => [Up];

    public override CudaWeight Part(WeightPart part) => new GateUpWeight(WeightFormat.NameOf(Name, part), WeightFormat.NameOf(Up, part));
}

/// <summary>The packed projection with the halves of each query and key head in turns of eight rows, so that what is rotated together meets in one lane.</summary>
public sealed record RopePackedWeight(string Name, AttentionGeometry Geometry) : CudaWeight(Name)
{
    public override CudaWeight Part(WeightPart part) => new RopePackedWeight(WeightFormat.NameOf(Name, part), Geometry);
}

/// <summary>Two or three matrices, each below the one before.</summary>
public sealed record StackedWeight(string Name, string Below, string? Last = null) : CudaWeight(Name)
{
    public override IReadOnlyList<string> Others => Last is null ? [Below] : [Below, Last];

    public override CudaWeight Part(WeightPart part) =>
        new StackedWeight(WeightFormat.NameOf(Name, part), WeightFormat.NameOf(Below, part), Last is null ? null : WeightFormat.NameOf(Last, part));
}
