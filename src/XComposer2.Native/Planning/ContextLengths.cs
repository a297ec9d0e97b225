using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>The context that is used: the wanted one, else the model's own.</summary>
internal static class ContextLengths
{
    /// <exception cref="EngineException">The wanted one is not positive, or beyond the model's positions.</exception>
    public static int Resolve(int? wanted, ModelConfig config)
    {
        int most = config.Decoder.MaximumPositions;
        EngineException.ThrowUnless(wanted is null || (wanted >= 1 && wanted <= most), "context", $"1 to {most} tokens, the positions that the model was made for", wanted);
        return wanted ?? config.ContextLength;
    }
}
