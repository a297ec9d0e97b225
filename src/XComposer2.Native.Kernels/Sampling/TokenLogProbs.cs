using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Log-probabilities of up to 64 tokens that were chosen, and of the likeliest tokens of their rows, in the distribution that the model gives:
/// the logits without constraint, bias, penalties, temperature, top-k and top-p.</summary>
public sealed record TokenLogProbs : KernelDefinition
{
    /// <summary>Rows of a launch.</summary>
    public const int MaxRows = LogProbRows.Length;

    /// <summary>Likely tokens that a row may be asked for.</summary>
    public const int MaxLikely = 20;

    /// <param name="vocabularySize">Logits of a row.</param>
    public TokenLogProbs(int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 2);
        VocabularySize = vocabularySize;
    }

    public int VocabularySize { get; }

    public override string Source => "sampling/token_log_probs.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<TokenLogProbsArguments>();

    public override int BlockThreads => RowCut.BlockThreads;

    /// <summary>How a row is cut.</summary>
    public RowCut Cut => new(VocabularySize);

    protected override IEnumerable<(string Name, string Value)> Definitions =>
        [("VOCABULARY", Number(VocabularySize)), ("BLOCKS", Number(Cut.Blocks)), ("MOST_LIKELY", Number(MaxLikely))];

    /// <summary>A block for each part of each row.</summary>
    public LaunchGeometry Geometry(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, MaxRows);
        return new LaunchGeometry(new Dim3(Cut.Blocks, rows), BlockThreads);
    }

    /// <summary>The logits once.</summary>
    public KernelCost Cost(int rows) => new(rows * VocabularySize * (long)sizeof(float), rows * (long)VocabularySize);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TokenCases.Of(this, context);
}

/// <summary>As <c>sampling/token_log_probs.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct TokenLogProbsArguments
{
    /// <summary>F32 [any, vocabulary].</summary>
    public DevicePointer Logits;

    /// <summary>I32 [slots]: the chosen ids.</summary>
    public DevicePointer Ids;

    /// <summary>Scratch, <see cref="RowCut.MaximaBytes"/> a row.</summary>
    public DevicePointer Maxima;

    /// <summary>Scratch, <see cref="RowCut.PartBytes"/> a row.</summary>
    public DevicePointer Parts;

    /// <summary>U32 [rows], zero before the first launch.</summary>
    public DevicePointer Arrivals;

    /// <summary><see cref="LogProbResult"/> [places], mapped host memory.</summary>
    public DevicePointer Results;

    /// <summary><see cref="LikelyToken"/> [places, <see cref="TokenLogProbs.MaxLikely"/>], mapped host memory.</summary>
    public DevicePointer Likely;

    public LogProbRows Rows;
}

/// <summary>The rows of a launch.</summary>
[InlineArray(Length)]
public struct LogProbRows
{
    public const int Length = 64;

    private LogProbRow first;
}

/// <summary>What is wanted for one row.</summary>
/// <param name="Row">Of the logits.</param>
/// <param name="Slot">Of the answer.</param>
/// <param name="Place">Of the results.</param>
/// <param name="Likely">So many of the likeliest tokens, at most <see cref="TokenLogProbs.MaxLikely"/>.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LogProbRow(int Row, int Slot, int Place, int Likely);

/// <summary>What <see cref="TokenLogProbs"/> writes to the host for a row.</summary>
/// <param name="LogProb">Of the chosen token.</param>
/// <param name="Likely">Likely tokens that were written: fewer than wanted where not as many are above -infinity.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LogProbResult(float LogProb, int Likely);

/// <summary>One of the likeliest tokens of a row, with its log-probability.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LikelyToken(int Id, float LogProb);
