namespace XComposer2.Native.Model;

/// <summary>The checkpoint's SentencePiece model. Immutable, safe to share between threads.</summary>
public sealed class TextTokenizer
{
    private TextTokenizer() => throw new NotImplementedException();

    /// <summary>Pieces, control and user-defined ones included.</summary>
    public int VocabularySize => throw new NotImplementedException();

    public int BosId => throw new NotImplementedException();

    public int EosId => throw new NotImplementedException();

    /// <summary>Reads <c>tokenizer.model</c> of a checkpoint folder.</summary>
    /// <exception cref="CheckpointException">The file is missing, damaged or no BPE model.</exception>
    public static TextTokenizer Load(string checkpointDirectory) => throw new NotImplementedException();

    /// <summary>The id of this exact piece.</summary>
    public bool TryFindPiece(string piece, out int id) => throw new NotImplementedException();

    /// <summary>Exactly what SentencePiece makes of the text: user-defined pieces are taken whole. No BOS.</summary>
    public IReadOnlyList<int> Encode(string text) => throw new NotImplementedException();

    /// <summary>As <see cref="Encode"/>, but <c>[UNUSED_TOKEN_n]</c> is ordinary text: what a user typed never becomes a control token.</summary>
    public IReadOnlyList<int> EncodeUserText(string text) => throw new NotImplementedException();

    /// <summary>The text of these ids; control pieces give nothing.</summary>
    public string Decode(ReadOnlySpan<int> ids) => throw new NotImplementedException();
}
