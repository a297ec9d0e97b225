using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>The likeliest tokens of up to 64 rows of logits, with log-probabilities that a penalty multiplies where a sequence has the token already; in no order,
/// and among others.</summary>
public sealed record RankTokens : KernelDefinition
{
    /// <summary>Rows of a launch.</summary>
    public const int MaxRows = RankRows.Length;

    /// <summary>Tokens that may be listed for a row.</summary>
    public const int ListRoom = 2048;

    /// <param name="vocabularySize">Logits of a row.</param>
    public RankTokens(int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 2);
        VocabularySize = vocabularySize;
    }

    public int VocabularySize { get; }

    public override string Source => "sampling/rank_tokens.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<RankTokensArguments>();

    public override int BlockThreads => RowCut.BlockThreads;

    /// <summary>How a row is cut.</summary>
    public RowCut Cut => new(VocabularySize);

    protected override IEnumerable<(string Name, string Value)> Definitions =>
        [("VOCABULARY", Number(VocabularySize)), ("BLOCKS", Number(Cut.Blocks)), ("LIST_ROOM", Number(ListRoom))];

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

/// <summary>As <c>sampling/rank_tokens.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RankTokensArguments
{
    /// <summary>F32 [any, vocabulary].</summary>
    public DevicePointer Logits;

    /// <summary>Bits of the ids that a sequence has, <see cref="SampleToken.SeenBytes"/> a slot. Read where the penalty is not 1.</summary>
    public DevicePointer Seen;

    /// <summary>Scratch, <see cref="RowCut.MaximaBytes"/> a row.</summary>
    public DevicePointer Maxima;

    /// <summary>Scratch, <see cref="RowCut.PartBytes"/> a row.</summary>
    public DevicePointer Parts;

    /// <summary>U32 [rows], zero before the first launch.</summary>
    public DevicePointer Arrivals;

    /// <summary><see cref="SampledToken"/> [rows], mapped host memory: the largest logit, or what is wrong with them.</summary>
    public DevicePointer Tokens;

    /// <summary>U32 [rows], mapped host memory: tokens that were listed.</summary>
    public DevicePointer Counts;

    /// <summary><see cref="LikelyToken"/> [rows, <see cref="RankTokens.ListRoom"/>], mapped host memory.</summary>
    public DevicePointer Listed;

    /// <summary>Comes back with each row, so that the host knows which launch it is of.</summary>
    public uint Ticket;

    private readonly uint reserved;

    public RankRows Rows;
}

/// <summary>The rows of a launch.</summary>
[InlineArray(Length)]
public struct RankRows
{
    public const int Length = 64;

    private RankRow first;
}

/// <summary>What is wanted of one row.</summary>
/// <param name="Row">Of the logits.</param>
/// <param name="Slot">Of the sequence.</param>
/// <param name="Wanted">Tokens.</param>
/// <param name="Penalty">1 or more.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct RankRow(int Row, int Slot, int Wanted, float Penalty);
