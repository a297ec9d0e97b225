using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>The end of a step: the next token.</summary>
internal static class TokenCases
{
    public static IEnumerable<KernelCase> Of(SampleToken kernel, CaseContext context) =>
        from rows in context.Counts.DecodeRows
        from isGreedy in (bool[])[true, false]
        select Sample(kernel, rows, isGreedy);

    public static IEnumerable<KernelCase> Of(TokenLogProbs kernel, CaseContext context) =>
        from rows in context.Counts.DecodeRows
        select LogProbs(kernel, rows);

    private static KernelCase Sample(SampleToken kernel, int rows, bool isGreedy)
    {
        CaseMemory memory = new();
        long logits = memory.Values(DType.F32, (long)rows * kernel.VocabularySize);
        long states = memory.Given<SamplingState>([.. Enumerable.Range(0, rows).Select(row => new SamplingState(
            (ulong)row, Step: 0, Temperature: 1, TopP: 0.8f, RepetitionPenalty: 1.005f, TopK: 40, isGreedy ? 1u : 0u))]);
        long seen = memory.Zeros(rows * kernel.SeenBytes);
        long ids = memory.Result((long)rows * sizeof(int));
        long tokens = memory.Result((long)rows * Unsafe.SizeOf<SampledToken>());
        return KernelCase.Create(
            FormattableString.Invariant($"{CaseContext.Count(rows, "row")} of {kernel.VocabularySize}, {(isGreedy ? "the largest" : "top-k 40, top-p 0.8")}"),
            kernel, kernel.Geometry(rows), kernel.Cost(rows), memory,
            start => Arguments(start + logits, start + states, start + seen, start + ids, start + tokens, rows));
    }

    private static SampleTokenArguments Arguments(DevicePointer logits, DevicePointer states, DevicePointer seen, DevicePointer ids, DevicePointer tokens, int rows)
    {
        SampleTokenArguments arguments = new() { Logits = logits, States = states, Seen = seen, Ids = ids, Tokens = tokens };
        for (int row = 0; row < rows; row++)
            arguments.Rows[row] = new SampledRow(row, row);
        return arguments;
    }

    private static KernelCase LogProbs(TokenLogProbs kernel, int rows)
    {
        const int Likely = 5;
        CaseMemory memory = new();
        long logits = memory.Values(DType.F32, (long)rows * kernel.VocabularySize);
        long ids = memory.Given<int>([.. Enumerable.Range(5, rows)]);
        long results = memory.Result((long)rows * Unsafe.SizeOf<LogProbResult>());
        long likely = memory.Result((long)rows * TokenLogProbs.MaxLikely * Unsafe.SizeOf<LikelyToken>());
        return KernelCase.Create(
            FormattableString.Invariant($"{CaseContext.Count(rows, "row")} of {kernel.VocabularySize}, {Likely} likely tokens"),
            kernel, kernel.Geometry(rows), kernel.Cost(rows), memory,
            start => Arguments(start + logits, start + ids, start + results, start + likely));

        TokenLogProbsArguments Arguments(DevicePointer logits, DevicePointer ids, DevicePointer results, DevicePointer likely)
        {
            TokenLogProbsArguments arguments = new() { Logits = logits, Ids = ids, Results = results, Likely = likely };
            for (int row = 0; row < rows; row++)
                arguments.Rows[row] = new LogProbRow(row, row, row, Likely);
            return arguments;
        }
    }
}
