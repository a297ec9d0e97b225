using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>
/// Chooses the next token of each row: repetition penalty, temperature, top-k, top-p and draw, or the largest logit. The rules are those of the
/// processor's sampler, and so are the ids, unless a sum lies within rounding of a border.
/// </summary>
public sealed record SampleToken : KernelDefinition
{
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

    /// <summary>A block's sums come together in one warp, a lane for each warp.</summary>
    public override int BlockThreads => 1024;

    /// <summary>Bytes of the bits of one row.</summary>
    public long SeenBytes => (VocabularySize + 31L) / 32 * sizeof(uint);

    protected override IEnumerable<(string Name, string Value)> Definitions =>
        [("VOCABULARY", Number(VocabularySize)), ("STATE_BYTES", Number(Unsafe.SizeOf<SamplingState>()))];

    /// <summary>One block a row.</summary>
    public LaunchGeometry Geometry(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        return new LaunchGeometry(rows, BlockThreads);
    }

    /// <summary>The logits once.</summary>
    public KernelCost Cost(int rows) => new(rows * ((VocabularySize * (long)sizeof(float)) + SeenBytes), rows * (long)VocabularySize);

    internal override IEnumerable<KernelCase> Cases(CaseContext context) => TokenCases.Of(this, context);
}

/// <summary>As <c>sampling/sample_token.cu</c> declares it.</summary>
/// <param name="Logits">F32 [rows, vocabulary].</param>
/// <param name="States"><see cref="SamplingState"/> [rows]; the step is counted.</param>
/// <param name="Seen">Bits of the ids chosen so far, <see cref="SampleToken.SeenBytes"/> a row; the chosen one is added. All zero before an answer.</param>
/// <param name="Ids">I32 [rows]: the chosen ids, where the next step reads them; 0 after a failure.</param>
/// <param name="Slots"><see cref="SampledToken"/> [rows, slotCount], mapped host memory.</param>
/// <param name="SlotCount">Step s is written to slot s % SlotCount of its row, so that so many steps may be under way. At least 1.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SampleTokenArguments(
    DevicePointer Logits, DevicePointer States, DevicePointer Seen, DevicePointer Ids, DevicePointer Slots, uint SlotCount);

/// <summary>How one row is sampled and where its answer stands, in device memory, as <c>sampling/sample_token.cu</c> declares it.</summary>
/// <param name="Seed">The same seed gives the same ids.</param>
/// <param name="Step">Tokens of the answer so far; the kernel counts.</param>
/// <param name="Temperature">Over 0.</param>
/// <param name="TopP">Over 0, at most 1.</param>
/// <param name="RepetitionPenalty">Over 0; 1 is none.</param>
/// <param name="TopK">0 keeps all.</param>
/// <param name="Greedy">1: the largest logit, and temperature, top-k and top-p are not looked at. Else 0.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SamplingState(
    ulong Seed, ulong Step, float Temperature, float TopP, float RepetitionPenalty, uint TopK, uint Greedy);

/// <summary>What <see cref="SampleToken"/> writes to the host, both words at once.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct SampledToken
{
    private const int AllMinusInfinity = -1, FirstNan = -2;

    private readonly int id;
    private readonly uint step;

    private SampledToken(int id, uint step)
    {
        this.id = id;
        this.step = step;
    }

    /// <summary>What a slot holds before its first step: the step of no short answer.</summary>
    public static SampledToken None => new(AllMinusInfinity, uint.MaxValue);

    /// <summary>The chosen id, where <see cref="Failure"/> is null.</summary>
    public int Id => id;

    /// <summary>Low half of the step that chose it; what tells a new token from the one before in the same slot.</summary>
    public uint Step => step;

    /// <summary>What is wrong with the logits, in words; null where nothing is.</summary>
    public string? Failure => id switch
    {
        >= 0 => null,
        AllMinusInfinity => "every logit is -infinity",
        _ => string.Create(CultureInfo.InvariantCulture, $"the logit of id {FirstNan - id} is NaN"),
    };
}
