using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>A sequence of a test: its past length and the rows of this step.</summary>
internal readonly record struct PagedSequence(int PastLength, int RowCount)
{
    public int Length => PastLength + RowCount;

    public int PageCount => (Length + SequenceSpan.PageTokens - 1) / SequenceSpan.PageTokens;
}
