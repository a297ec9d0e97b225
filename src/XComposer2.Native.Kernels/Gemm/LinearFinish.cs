namespace XComposer2.Native.Kernels;

/// <summary>What a linear does with its sums. The numbers are those of <c>gemm/linear_epilogue.cuh</c>.</summary>
public enum LinearFinish : byte
{
    /// <summary>activation(sum + bias) + residual, each where there is one.</summary>
    Plain = 0,

    /// <summary>silu(gate) * up: half as many columns. Rows of the weights in the order of <see cref="RowPermutation.GateUp"/>.</summary>
    Gated = 1,

    /// <summary>Queries and keys are rotated, keys and values appended to the cache. Rows of the weights in the order of <see cref="RowPermutation.Rope"/>.</summary>
    RopeKvAppend = 2,
}
