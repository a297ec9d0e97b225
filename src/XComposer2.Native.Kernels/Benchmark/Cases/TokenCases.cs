using System.Runtime.CompilerServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The end of a step: the next token.</summary>
internal static class TokenCases
{
    public static IEnumerable<KernelCase> Of(SampleToken kernel, CaseContext context) =>
        from rows in context.Counts.DecodeRows
        from isGreedy in (bool[])[true, false]
        select Sample(kernel, rows, isGreedy);

    private static KernelCase Sample(SampleToken kernel, int rows, bool isGreedy)
    {
        CaseMemory memory = new();
        long logits = memory.Values(DType.F32, (long)rows * kernel.VocabularySize);
        long states = memory.Given<SamplingState>([.. Enumerable.Range(0, rows).Select(row => new SamplingState(
            (ulong)row, Step: 0, Temperature: 1, TopP: 0.8f, RepetitionPenalty: 1.005f, TopK: 40, isGreedy ? 1u : 0u))]);
        long seen = memory.Zeros(rows * kernel.SeenBytes);
        long ids = memory.Result((long)rows * sizeof(int));
        long slots = memory.Result((long)rows * Unsafe.SizeOf<SampledToken>());
        return KernelCase.Create(
            FormattableString.Invariant($"{CaseContext.Count(rows, "row")} of {kernel.VocabularySize}, {(isGreedy ? "the largest" : "top-k 40, top-p 0.8")}"),
            kernel, kernel.Geometry(rows), kernel.Cost(rows), memory,
            start => new SampleTokenArguments(start + logits, start + states, start + seen, start + ids, start + slots, SlotCount: 1));
    }
}
