using System.Runtime.CompilerServices;
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
}
