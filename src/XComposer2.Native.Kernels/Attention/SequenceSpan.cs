using System.Runtime.InteropServices;

namespace XComposer2.Native.Kernels;

/// <summary>The part of a step that belongs to one sequence, as kernels read it from device memory (<c>common/sequence_span.cuh</c>):
/// row FirstRow + i sits at position PastLength + i.</summary>
/// <param name="FirstRow">Row of the step.</param>
/// <param name="RowCount">Rows of the sequence in the step; 0 in a place that no sequence has.</param>
/// <param name="PastLength">Tokens that were in the cache before the step.</param>
/// <param name="FirstPage">Entry of the page table that names the physical page of positions 0 to 63; the next ones follow.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SequenceSpan(int FirstRow, int RowCount, int PastLength, int FirstPage)
{
    /// <summary>Tokens of one page.</summary>
    public const int PageTokens = 64;

    /// <summary>Tokens of the sequence once the step's rows are in the cache.</summary>
    public int Length => PastLength + RowCount;

    /// <summary>Entries of the page table that the sequence has in use once the step's rows are in the cache.</summary>
    public int PageCount => (Length + PageTokens - 1) / PageTokens;
}
