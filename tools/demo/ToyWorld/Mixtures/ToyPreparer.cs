using XComposer2.Demo.Conversations;
using XComposer2.Demo.World;
using XComposer2.Native.Model;
using XComposer2.Native.Training;

namespace XComposer2.Demo.Mixtures;

/// <summary>
/// Writes samples as a trainer reads them, without files: ids and labels as <see cref="TrainingText"/> writes them, and besides system turns and pictures before the prompt. Texts
/// keep the blanks at their ends. Safe to share between threads.
/// </summary>
/// <param name="config">Sizes.</param>
/// <param name="tokenizer">Of the model.</param>
public sealed class ToyPreparer(ModelConfig config, TextTokenizer tokenizer)
{
    private const string StartPiece = "[UNUSED_TOKEN_146]", EndPiece = "[UNUSED_TOKEN_145]";

    private readonly int start = Find(tokenizer, StartPiece);
    private readonly int end = Find(tokenizer, EndPiece);

    /// <summary>Whether the given beginnings of answers are learnt, too; otherwise only what follows them.</summary>
    public bool LearnsPrefixes { get; init; } = true;

    /// <summary>Ids, labels and pixels of a sample.</summary>
    public PreparedSample Prepare(ToySample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        int size = config.ImageSize, values = 3 * size * size;
        float[] pixels = new float[sample.Pictures.Length * values];
        for (int i = 0; i < sample.Pictures.Length; i++)
            ImagePreprocessor.Run(sample.Pictures[i].ToInputImage(size), size, SquareMode.Squash, pixels.AsSpan(i * values, values));
        return new PreparedSample(sample.Kind, Write(sample), pixels, sample.Pictures.Length);
    }

    /// <summary>Ids and labels of a sample.</summary>
    public LabelledText Write(ToySample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        List<int> ids = [], labels = [];
        Add([tokenizer.BosId], false);
        if (sample.ArePicturesFirst)
            foreach (ToyPicture _ in sample.Pictures)
                AddPicture();
        if (sample.System.Length > 0)
            AddTurn("system\n" + sample.System);
        for (int i = 0; i < sample.Turns.Length; i++)
        {
            ToyTurn turn = sample.Turns[i];
            AddTurn("user\n" + turn.Question);
            Add([start], false);

            // The header and the answer are one text; what is learnt begins with the first token that is not the header's.
            IReadOnlyList<int> answer = tokenizer.EncodeUserText("assistant\n" + turn.Answer);
            int given = tokenizer.EncodeUserText("assistant\n" + (LearnsPrefixes ? "" : turn.AnswerPrefix)).Count;
            Add([.. answer.Take(given)], false);
            Add([.. answer.Skip(given), end], true);
            Add(tokenizer.EncodeUserText("\n"), i == sample.Turns.Length - 1);
        }

        Add([tokenizer.EosId], true);
        return new LabelledText(ids, labels);

        void AddTurn(string text)
        {
            Add([start], false);
            string[] parts = text.Split(ToySample.Image);
            for (int part = 0; part < parts.Length; part++)
            {
                if (part > 0)
                    AddPicture();
                Add(tokenizer.EncodeUserText(parts[part]), false);
            }

            Add([end, .. tokenizer.EncodeUserText("\n")], false);
        }

        void AddPicture() => Add([.. Enumerable.Repeat(TrainingText.Ignored, config.TokensPerImage)], false);

        void Add(IReadOnlyList<int> added, bool isLearnt)
        {
            ids.AddRange(added);
            labels.AddRange(isLearnt ? added : Enumerable.Repeat(TrainingText.Ignored, added.Count));
        }
    }

    private static int Find(TextTokenizer tokenizer, string piece)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return tokenizer.TryFindPiece(piece, out int id) ? id : throw new TrainingDataException($"expected a tokenizer with the piece {piece}, found none");
    }
}
