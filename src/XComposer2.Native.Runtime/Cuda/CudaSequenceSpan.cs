using System.Runtime.InteropServices;

namespace XComposer2.Native.Runtime;

/// <summary>As <c>SequenceSpan</c> in <c>common/sequence_span.cuh</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct CudaSequenceSpan(int FirstRow, int RowCount, int PastLength, int FirstPage);
