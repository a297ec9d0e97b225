namespace XComposer2.Native;

/// <summary>Where the time of one answer went.</summary>
public sealed record GenerationTimings
{
    /// <summary>Reading and resizing pictures.</summary>
    public TimeSpan ImageDecode { get; init; }

    /// <summary>Vision tower and projector.</summary>
    public TimeSpan Vision { get; init; }

    /// <summary>The prompt through the decoder, up to the first token.</summary>
    public TimeSpan Prefill { get; init; }

    /// <summary>All decode steps.</summary>
    public TimeSpan Decode { get; init; }

    /// <summary>Decode steps that were run; one less than the sampled tokens.</summary>
    public int DecodeSteps { get; init; }

    /// <summary>Mean time of a decode step; zero where there was none.</summary>
    public TimeSpan PerToken => DecodeSteps == 0 ? TimeSpan.Zero : Decode / DecodeSteps;
}
