using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>A sequence of a test: rows of this step after so many tokens.</summary>
internal readonly record struct PagedSequence(int PastLength, int RowCount)
{
    public int Length => PastLength + RowCount;

    public int PageCount => (Length + SequenceSpan.PageTokens - 1) / SequenceSpan.PageTokens;
}
