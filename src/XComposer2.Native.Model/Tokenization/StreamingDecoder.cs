namespace XComposer2.Native.Model;

/// <summary>Turns ids into text as they come; never gives half a character. The pieces together equal <see cref="TextTokenizer.Decode"/> of all ids.</summary>
public sealed class StreamingDecoder
{
    public StreamingDecoder(TextTokenizer tokenizer) => throw new NotImplementedException();

    /// <summary>Text that became certain with this id; may be empty.</summary>
    public string Add(int id) => throw new NotImplementedException();

    /// <summary>What is left at the end: an unfinished character becomes U+FFFD.</summary>
    public string Finish() => throw new NotImplementedException();
}
