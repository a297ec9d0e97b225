using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>A step of AdamW over one parameter.</summary>
public sealed record AdamW : KernelDefinition
{
    public override string Source => "training/adamw.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<AdamWArguments>();

    public override int BlockThreads => 256;

    protected override IEnumerable<(string Name, string Value)> Definitions => [];

    /// <summary>A thread an element.</summary>
    public LaunchGeometry Geometry(long count) => TrainingGrid.Of(count, BlockThreads, BlockThreads);

    public static KernelCost Cost(long count) => new(7 * sizeof(float) * count, 14 * count);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this);
}

/// <summary>As <c>training/adamw.cu</c> declares it.</summary>
/// <param name="Values">F32 [count].</param>
/// <param name="Gradient">F32 [count].</param>
/// <param name="First">F32 [count]: running mean of the gradient.</param>
/// <param name="Second">F32 [count]: running mean of its square.</param>
/// <param name="Count">Elements.</param>
/// <param name="Beta1">Share of the old mean.</param>
/// <param name="Beta2">Share of the old mean of squares.</param>
/// <param name="Epsilon">Added to the root.</param>
/// <param name="Shrink">1 - rate * decay.</param>
/// <param name="Step">rate / (1 - beta1ⁿ).</param>
/// <param name="Root">sqrt(1 - beta2ⁿ).</param>
/// <param name="Clip">Factor of the gradient.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct AdamWArguments(
    DevicePointer Values, DevicePointer Gradient, DevicePointer First, DevicePointer Second, ulong Count, float Beta1, float Beta2, float Epsilon, float Shrink, float Step, float Root, float Clip)
{
    private readonly uint unused;
}

/// <summary>Sums of squares of blocks of fixed size, in double.</summary>
public sealed record SumOfSquares : KernelDefinition
{
    /// <summary>Elements of one sum.</summary>
    public const int BlockElements = 16 * 1024;

    public override string Source => "training/sum_of_squares.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<SumOfSquaresArguments>();

    public override int BlockThreads => 256;

    protected override IEnumerable<(string Name, string Value)> Definitions => [("BLOCK_ELEMENTS", Number(BlockElements))];

    /// <summary>Sums of so many elements.</summary>
    public static int Blocks(long count) => checked((int)((count + BlockElements - 1) / BlockElements));

    public LaunchGeometry Geometry(long count) => new(Blocks(count), BlockThreads);

    public static KernelCost Cost(long count) => new(sizeof(float) * count, 2 * count);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TrainingCases.Of(this);
}

/// <summary>As <c>training/sum_of_squares.cu</c> declares it.</summary>
/// <param name="Values">F32 [count].</param>
/// <param name="Sums">F64, one for each block.</param>
/// <param name="Count">Elements.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SumOfSquaresArguments(DevicePointer Values, DevicePointer Sums, ulong Count);
