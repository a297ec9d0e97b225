using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>
/// Chooses the next tokens of up to 64 answers in one launch: what is allowed, biases, penalties, temperature, top-k, top-p and draw, or the largest logit.
/// The rules are those of the processor's sampler, and so are the ids, unless a sum lies within rounding of a border.
/// </summary>
public sealed record SampleToken : KernelDefinition
{
    /// <summary>Rows of a launch.</summary>
    public const int MaxRows = SampleRows.Length;

    /// <param name="vocabularySize">Logits of a row.</param>
    public SampleToken(int vocabularySize)
    {
        // NVRTC 12.4 crashes on a vocabulary of one token for sm_90a; there is nothing to choose from either.
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 2);
        VocabularySize = vocabularySize;
    }

    public int VocabularySize { get; }

    public override string Source => "sampling/sample_token.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<SampleTokenArguments>();

    public override int BlockThreads => RowCut.BlockThreads;

    /// <summary>How a row is cut.</summary>
    public RowCut Cut => new(VocabularySize);

    /// <summary>Bytes of the bits of one answer: of the ids it has, or of those it may have next.</summary>
    public long SeenBytes => (VocabularySize + 31L) / 32 * sizeof(uint);

    /// <summary>Bytes of the <see cref="Adjustment"/>s of one answer.</summary>
    public long AdjustmentBytes => VocabularySize * (long)Unsafe.SizeOf<Adjustment>();

    /// <summary>Bytes of the changed logits of a row.</summary>
    public long KeyBytes => VocabularySize * (long)sizeof(uint);

    protected override IEnumerable<(string Name, string Value)> Definitions =>
        [("VOCABULARY", Number(VocabularySize)), ("BLOCKS", Number(Cut.Blocks)), ("STATE_BYTES", Number(Unsafe.SizeOf<SamplingState>()))];

    /// <summary>A block for each part of each row.</summary>
    public LaunchGeometry Geometry(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, MaxRows);
        return new LaunchGeometry(new Dim3(Cut.Blocks, rows), BlockThreads);
    }

    /// <summary>The logits once.</summary>
    public KernelCost Cost(int rows) => new(rows * ((VocabularySize * (long)sizeof(float)) + SeenBytes), rows * (long)VocabularySize);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TokenCases.Of(this, context);
}

/// <summary>As <c>sampling/sample_token.cu</c> declares it.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SampleTokenArguments
{
    /// <summary>F32 [any, vocabulary].</summary>
    public DevicePointer Logits;

    /// <summary><see cref="SamplingState"/> [slots]; the step is counted.</summary>
    public DevicePointer States;

    /// <summary>Bits of the ids chosen so far, <see cref="SampleToken.SeenBytes"/> a slot; the chosen one is added. All zero before an answer.</summary>
    public DevicePointer Seen;

    /// <summary>Bits of the ids that may be chosen, as many a slot. Read where the state says so.</summary>
    public DevicePointer Allowed;

    /// <summary><see cref="Adjustment"/> [slots, vocabulary]; the chosen one is counted. Read and written where the state says so.</summary>
    public DevicePointer Adjustments;

    /// <summary>I32 [slots]: the chosen ids, where the next step reads them; 0 after a failure.</summary>
    public DevicePointer Ids;

    /// <summary>Scratch, <see cref="SampleToken.KeyBytes"/> a row.</summary>
    public DevicePointer Keys;

    /// <summary>Scratch, <see cref="RowCut.MaximaBytes"/> a row.</summary>
    public DevicePointer Maxima;

    /// <summary>U32 [rows], zero before the first launch.</summary>
    public DevicePointer Arrivals;

    /// <summary><see cref="SampledToken"/> [rows], mapped host memory.</summary>
    public DevicePointer Tokens;

    /// <summary>Comes back with each token, so that the host knows which launch it is of.</summary>
    public uint Ticket;

    private readonly uint reserved;

    public SampleRows Rows;
}

/// <summary>The rows of a launch.</summary>
[InlineArray(Length)]
public struct SampleRows
{
    public const int Length = 64;

    private SampledRow first;
}

/// <summary>A row of logits, and the slot of its answer.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SampledRow(int Row, int Slot);

/// <summary>How one answer is sampled and where it stands, in device memory, as <c>sampling/sample_token.cu</c> declares it.</summary>
/// <param name="Seed">The same seed gives the same ids.</param>
/// <param name="Step">Tokens of the answer so far; the kernel counts.</param>
/// <param name="Temperature">Over 0.</param>
/// <param name="TopP">Over 0, at most 1.</param>
/// <param name="RepetitionPenalty">Over 0; 1 is none.</param>
/// <param name="TopK">0 keeps all.</param>
/// <param name="Greedy">1: the largest logit, and temperature, top-k and top-p are not looked at. Else 0.</param>
/// <param name="FrequencyPenalty">For each occurrence in the answer.</param>
/// <param name="PresencePenalty">For an id that occurs in the answer.</param>
/// <param name="Adjusts">1: its <see cref="Adjustment"/>s are read, and occurrences are counted. Else 0.</param>
/// <param name="Constrained">1: only ids with their bit in <see cref="SampleTokenArguments.Allowed"/> are chosen. Else 0.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SamplingState(
    ulong Seed, ulong Step, float Temperature, float TopP, float RepetitionPenalty, uint TopK, uint Greedy,
    float FrequencyPenalty = 0, float PresencePenalty = 0, uint Adjusts = 0, uint Constrained = 0);

/// <summary>What an answer changes in the logit of an id.</summary>
/// <param name="Bias">Added.</param>
/// <param name="Count">Occurrences in the answer; the kernel counts.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct Adjustment(float Bias, uint Count);

/// <summary>What <see cref="SampleToken"/> writes to the host for a row, both words at once.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct SampledToken
{
    private const int AllMinusInfinity = -1, FirstNan = -2;

    private readonly int id;
    private readonly uint ticket;

    private SampledToken(int id, uint ticket)
    {
        this.id = id;
        this.ticket = ticket;
    }

    /// <summary>What a place holds before its first token.</summary>
    public static SampledToken None => new(AllMinusInfinity, uint.MaxValue);

    /// <summary>The chosen id, where <see cref="Failure"/> is null.</summary>
    public int Id => id;

    /// <summary>Of the launch that chose it; what tells a new token from the one before in the same place.</summary>
    public uint Ticket => ticket;

    /// <summary>What is wrong with the logits, in words; null where nothing is.</summary>
    public string? Failure => id switch
    {
        >= 0 => null,
        AllMinusInfinity => "every logit is -infinity",
        _ => string.Create(CultureInfo.InvariantCulture, $"the logit of id {FirstNan - id} is NaN"),
    };
}
