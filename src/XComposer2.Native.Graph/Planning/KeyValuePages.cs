namespace XComposer2.Native.Graph;

/// <summary>Arithmetic of the paged key/value cache. A page holds the keys and values of one layer or of all, for this many tokens; only the sum matters here.</summary>
public static class KeyValuePages
{
    public const int TokensPerPage = 64;

    /// <summary>Pages for this many tokens.</summary>
    public static long Count(long tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        return (tokens / TokensPerPage) + (tokens % TokensPerPage == 0 ? 0 : 1);
    }

    /// <summary>Keys and values of all layers for this many tokens, whole pages.</summary>
    /// <exception cref="OverflowException">Beyond 63 bits.</exception>
    public static long Bytes(AttentionGeometry geometry, int layers, long tokens, DType type)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layers);
        long bytesPerToken = checked(2L * geometry.KeyValueHeads * geometry.HeadSize * type.ElementBytes() * layers);
        return checked(Count(tokens) * TokensPerPage * bytesPerToken);
    }
}
