using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>What the steps of one run have in common.</summary>
internal readonly struct CudaRun(CudaStream stream, DevicePointer arena, RowCounts counts, int sequences, int longestRows)
{
    public readonly CudaStream Stream = stream;
    public readonly DevicePointer Arena = arena;
    public readonly RowCounts Counts = counts;

    /// <summary>Sequences of the step.</summary>
    public readonly int Sequences = sequences;

    /// <summary>Rows of the sequence that has most in this step.</summary>
    public readonly int LongestRows = longestRows;
}
