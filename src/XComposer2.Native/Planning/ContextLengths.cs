using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>The context that is used: the wanted one, else the model's own.</summary>
internal static class ContextLengths
{
    /// <exception cref="EngineException">The wanted one is not positive, or beyond the model's positions.</exception>
    public static int Resolve(int? wanted, ModelConfig config)
    {
        int most = config.Decoder.MaximumPositions;
        return wanted is not { } tokens ? config.ContextLength
            : tokens >= 1 && tokens <= most ? tokens
            : throw new EngineException($"context: expected 1 to {most} tokens, the positions that the model was made for, found {tokens}");
    }
}
