namespace XComposer2.Native.Model;

/// <summary>Settings of a <c>tokenizer.model</c>; the defaults are those of the format.</summary>
internal sealed class SentencePieceSettings
{
    private const long Unigram = 1, Bpe = 2;

    /// <summary>Limits the output for each unknown ID of an answer.</summary>
    private const int MaximumTextBytes = 1024;

    private long modelType = Unigram;
    private bool byteFallback;
    private bool whitespaceAsSuffix;
    private bool addDummyPrefix = true;
    private bool removeExtraWhitespaces = true;
    private bool escapeWhitespaces = true;
    private int charsmapBytes;
    private int denormalizerCharsmapBytes;

    public string BosPiece { get; private set; } = "<s>";

    public string EosPiece { get; private set; } = "</s>";

    public string UnknownText { get; private set; } = " \u2047 ";

    public void ReadTrainer(ProtoReader message)
    {
        while (message.Next())
        {
            switch (message.Field)
            {
                case 3:
                    modelType = message.Integer("model_type");
                    break;
                case 24:
                    whitespaceAsSuffix = message.Flag("treat_whitespace_as_suffix");
                    break;
                case 35:
                    byteFallback = message.Flag("byte_fallback");
                    break;
                case 44:
                    UnknownText = ShortText(message, "unk_surface");
                    break;
                case 46:
                    BosPiece = ShortText(message, "bos_piece");
                    break;
                case 47:
                    EosPiece = ShortText(message, "eos_piece");
                    break;
            }
        }
    }

    public void ReadNormalizer(ProtoReader message)
    {
        while (message.Next())
        {
            switch (message.Field)
            {
                case 2:
                    charsmapBytes = message.LengthBytes("precompiled_charsmap");
                    break;
                case 3:
                    addDummyPrefix = message.Flag("add_dummy_prefix");
                    break;
                case 4:
                    removeExtraWhitespaces = message.Flag("remove_extra_whitespaces");
                    break;
                case 5:
                    escapeWhitespaces = message.Flag("escape_whitespaces");
                    break;
            }
        }
    }

    public void ReadDenormalizer(ProtoReader message)
    {
        while (message.Next())
            if (message.Field == 2)
                denormalizerCharsmapBytes = message.LengthBytes("precompiled_charsmap");
    }

    /// <exception cref="CheckpointException">The model requires a feature that <see cref="TextTokenizer"/> does not support.</exception>
    public void Check(string path)
    {
        if (modelType != Bpe)
            throw new CheckpointException(path, "trainer_spec.model_type", "BPE (2)", modelType == Unigram ? "unigram (1)" : $"{modelType}");
        Require(byteFallback, "trainer_spec.byte_fallback", true);
        Require(!whitespaceAsSuffix, "trainer_spec.treat_whitespace_as_suffix", false);
        Require(!addDummyPrefix, "normalizer_spec.add_dummy_prefix", false);
        Require(!removeExtraWhitespaces, "normalizer_spec.remove_extra_whitespaces", false);
        Require(escapeWhitespaces, "normalizer_spec.escape_whitespaces", true);
        RequireNone(charsmapBytes, "normalizer_spec.precompiled_charsmap");
        RequireNone(denormalizerCharsmapBytes, "denormalizer_spec.precompiled_charsmap");

        void Require(bool met, string field, bool expected)
        {
            if (!met)
                throw new CheckpointException(path, field, expected ? "true" : "false", expected ? "false" : "true");
        }

        void RequireNone(int lengthBytes, string field)
        {
            if (lengthBytes != 0)
                throw new CheckpointException(path, field, "none (the identity)", $"{lengthBytes} bytes");
        }
    }

    private static string ShortText(ProtoReader message, string field) => message.LengthBytes(field) <= MaximumTextBytes
        ? message.Text(field)
        : throw message.Bad(field, $"at most {MaximumTextBytes} bytes", $"{message.LengthBytes(field)}");
}
