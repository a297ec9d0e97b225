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

    public static IEnumerable<KernelCase> Of(RankTokens kernel, CaseContext context) =>
        from rows in context.Counts.DecodeRows
        select Rank(kernel, rows);

    private static KernelCase Sample(SampleToken kernel, int rows, bool isGreedy)
    {
        CaseMemory memory = new();
        long logits = memory.Values(DType.F32, (long)rows * kernel.VocabularySize);
        long states = memory.Given<SamplingState>([.. Enumerable.Range(0, rows).Select(row => new SamplingState(
            (ulong)row, Step: 0, Temperature: 1, TopP: 0.8f, RepetitionPenalty: 1.005f, TopK: 40, isGreedy ? 1u : 0u))]);
        long seen = memory.Zeros(rows * kernel.SeenBytes);
        long ids = memory.Result((long)rows * sizeof(int));
        long keys = memory.Result(rows * kernel.KeyBytes);
        long maxima = memory.Result(rows * kernel.Cut.MaximaBytes);
        long arrivals = memory.Zeros((long)rows * sizeof(uint));
        long tokens = memory.Result((long)rows * Unsafe.SizeOf<SampledToken>());
        return KernelCase.Create(
            FormattableString.Invariant($"{CaseContext.Count(rows, "row")} of {kernel.VocabularySize}, {(isGreedy ? "the largest" : "top-k 40, top-p 0.8")}"),
            kernel, kernel.Geometry(rows), kernel.Cost(rows), memory,
            start =>
            {
                // What is allowed and adjusted is not read: no state says so.
                SampleTokenArguments arguments = new()
                {
                    Logits = start + logits, States = start + states, Seen = start + seen, Ids = start + ids, Keys = start + keys, Maxima = start + maxima,
                    Arrivals = start + arrivals, Tokens = start + tokens,
                };
                for (int row = 0; row < rows; row++)
                    arguments.Rows[row] = new SampledRow(row, row);
                return arguments;
            });
    }

    private static KernelCase LogProbs(TokenLogProbs kernel, int rows)
    {
        const int Likely = 5;
        CaseMemory memory = new();
        long logits = memory.Values(DType.F32, (long)rows * kernel.VocabularySize);
        long ids = memory.Given<int>([.. Enumerable.Range(5, rows)]);
        long results = memory.Result((long)rows * Unsafe.SizeOf<LogProbResult>());
        long likely = memory.Result((long)rows * TokenLogProbs.MaxLikely * Unsafe.SizeOf<LikelyToken>());
        long maxima = memory.Result(rows * kernel.Cut.MaximaBytes);
        long parts = memory.Result(rows * kernel.Cut.PartBytes);
        long arrivals = memory.Zeros((long)rows * sizeof(uint));
        return KernelCase.Create(
            FormattableString.Invariant($"{CaseContext.Count(rows, "row")} of {kernel.VocabularySize}, {Likely} likely tokens"),
            kernel, kernel.Geometry(rows), kernel.Cost(rows), memory,
            start =>
            {
                TokenLogProbsArguments arguments = new()
                {
                    Logits = start + logits, Ids = start + ids, Results = start + results, Likely = start + likely, Maxima = start + maxima, Parts = start + parts,
                    Arrivals = start + arrivals,
                };
                for (int row = 0; row < rows; row++)
                    arguments.Rows[row] = new LogProbRow(row, row, row, Likely);
                return arguments;
            });
    }

    private static KernelCase Rank(RankTokens kernel, int rows)
    {
        const int Wanted = 10;
        CaseMemory memory = new();
        long logits = memory.Values(DType.F32, (long)rows * kernel.VocabularySize);
        long maxima = memory.Result(rows * kernel.Cut.MaximaBytes);
        long parts = memory.Result(rows * kernel.Cut.PartBytes);
        long arrivals = memory.Zeros((long)rows * sizeof(uint));
        long tokens = memory.Result((long)rows * Unsafe.SizeOf<SampledToken>());
        long counts = memory.Result((long)rows * sizeof(uint));
        long listed = memory.Result((long)rows * RankTokens.ListRoom * Unsafe.SizeOf<LikelyToken>());
        return KernelCase.Create(
            FormattableString.Invariant($"{CaseContext.Count(rows, "row")} of {kernel.VocabularySize}, {Wanted} likely tokens"),
            kernel, kernel.Geometry(rows), kernel.Cost(rows), memory,
            start =>
            {
                // A penalty of 1: no bits are read.
                RankTokensArguments arguments = new()
                {
                    Logits = start + logits, Maxima = start + maxima, Parts = start + parts, Arrivals = start + arrivals, Tokens = start + tokens,
                    Counts = start + counts, Listed = start + listed,
                };
                for (int row = 0; row < rows; row++)
                    arguments.Rows[row] = new RankRow(row, row, Wanted, Penalty: 1);
                return arguments;
            });
    }
}
