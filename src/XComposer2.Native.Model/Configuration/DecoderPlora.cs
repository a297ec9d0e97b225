namespace XComposer2.Native.Model;

/// <summary>Partial LoRA of the five linears of every decoder layer.</summary>
public sealed record DecoderPlora(PloraConfig Wqkv, PloraConfig Wo, PloraConfig W1, PloraConfig W3, PloraConfig W2)
{
    /// <summary>The same rank and scale everywhere.</summary>
    public static DecoderPlora Uniform(int rank, float scale)
    {
        PloraConfig one = new(rank, scale);
        return new DecoderPlora(one, one, one, one, one);
    }
}
