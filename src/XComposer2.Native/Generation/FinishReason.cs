namespace XComposer2.Native;

/// <summary>Why an answer ended.</summary>
public enum FinishReason
{
    /// <summary>The model ended its turn, or a stop text was reached.</summary>
    Stop,

    /// <summary>The answer reached <see cref="GenerationOptions.MaxTokens"/> or the context its end.</summary>
    Length,
}
