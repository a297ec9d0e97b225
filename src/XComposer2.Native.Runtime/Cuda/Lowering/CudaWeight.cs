using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>A matrix as the kernels want it on the device: made of one or two of the checkpoint's, perhaps with its rows in another order.
/// Two that are equal are the same memory.</summary>
/// <param name="Name">Of the checkpoint's matrix.</param>
internal abstract record CudaWeight(string Name)
{
    /// <summary>The other matrix of the checkpoint; null where there is one alone.</summary>
    public virtual string? SecondName => null;
}

/// <summary>As stored.</summary>
internal sealed record PlainWeight(string Name) : CudaWeight(Name);

/// <summary>Rows of two matrices in turns of eight, so that a channel's gate and up meet in one lane.</summary>
internal sealed record GateUpWeight(string Name, string Up) : CudaWeight(Name)
{
    public override string? SecondName => Up;
}

/// <summary>The packed projection with the halves of each query and key head in turns of eight rows, so that what is rotated together meets in one lane.</summary>
internal sealed record RopePackedWeight(string Name, AttentionGeometry Geometry) : CudaWeight(Name);

/// <summary>Two matrices, one below the other.</summary>
internal sealed record StackedWeight(string Name, string Below) : CudaWeight(Name)
{
    public override string? SecondName => Below;
}
