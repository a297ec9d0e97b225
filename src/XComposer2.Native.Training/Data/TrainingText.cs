using XComposer2.Native.Model;

namespace XComposer2.Native.Training;

/// <summary>A conversation as ids and labels.</summary>
/// <param name="Ids">Of each position; <see cref="TrainingText.Ignored"/> for a row of a picture.</param>
/// <param name="Labels">What is learnt of each position: its id, or <see cref="TrainingText.Ignored"/>.</param>
public sealed record LabelledText(IReadOnlyList<int> Ids, IReadOnlyList<int> Labels)
{
    /// <summary>The token that ends an answer; negative where none is known, and all that is learnt counts as answers.</summary>
    public int EndMark { get; init; } = -1;

    /// <summary>Positions that are learnt. The first position has nothing before it, from which it could be.</summary>
    public int LearntCount => Labels.Skip(1).Count(label => label != TrainingText.Ignored);
}

/// <summary>
/// Writes conversations as the published fine-tuning does: turns without a system turn, BOS once, <c>&lt;/s&gt;</c> at the end. Answers, their end marks and
/// <c>&lt;/s&gt;</c> are learnt; questions and the headers of answers are not. Text of a sample never becomes a control token.
/// </summary>
public sealed class TrainingText
{
    /// <summary>Label of what is not learnt.</summary>
    public const int Ignored = -100;

    private const string StartPiece = "[UNUSED_TOKEN_146]", EndPiece = "[UNUSED_TOKEN_145]";

    private readonly TextTokenizer tokenizer;
    private readonly int start;
    private readonly int end;
    private readonly int headerLength;

    /// <exception cref="CheckpointException">The tokenizer lacks the pieces that mark turns.</exception>
    public TrainingText(TextTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        this.tokenizer = tokenizer;
        start = tokenizer.FindMark(StartPiece);
        end = tokenizer.FindMark(EndPiece);
        headerLength = tokenizer.Encode(EndPiece + "\n" + StartPiece + "assistant\n").Count;
    }

    /// <param name="sample">The conversation.</param>
    /// <param name="rowsPerPicture">Positions of a picture.</param>
    /// <param name="maximumLength">Positions that are kept, from the first on; null for all.</param>
    /// <exception cref="TrainingDataException">The sample is faulty, or the places of pictures are not as many as the pictures. One picture without a place stands before the text.</exception>
    public LabelledText Write(TrainingSample sample, int rowsPerPicture, int? maximumLength = null)
    {
        ArgumentNullException.ThrowIfNull(sample);
        if (sample.Fault is { } fault)
            throw new TrainingDataException(fault);
        int places = sample.Turns.Sum(turn => turn.Text.Split(ChatTemplate.Placeholder).Length - 1);
        bool isFirst = places == 0 && sample.Pictures.Length == 1;
        if (!isFirst && places != sample.Pictures.Length)
            throw new TrainingDataException($"sample '{sample.Id}': expected {places} pictures, one for each {ChatTemplate.Placeholder}, found {sample.Pictures.Length}");
        var writer = new PromptWriter(tokenizer, BosRule.FirstPart, extraBos: false);
        int picture = 0;
        if (isFirst)
            writer.Picture(picture++);
        foreach (TrainingTurn turn in sample.Turns)
        {
            writer.Mark(start);
            writer.Text(turn.IsQuestion ? "user\n" : "assistant\n");
            string[] texts = turn.Text.Trim().Split(ChatTemplate.Placeholder);
            for (int i = 0; i < texts.Length; i++)
            {
                if (i > 0)
                    writer.Picture(picture++);
                writer.Text(texts[i]);
            }

            writer.Mark(end);
            writer.Text("\n");
        }

        writer.Mark(tokenizer.EosId);
        List<int> ids = [];
        foreach (PromptPiece piece in writer.Finish())
            ids.AddRange(piece.IsImage ? Enumerable.Repeat(Ignored, rowsPerPicture) : piece.Ids);
        if (maximumLength is { } most && ids.Count > most)
            ids.RemoveRange(most, ids.Count - most);
        return new LabelledText(ids, Label(ids)) { EndMark = end };
    }

    // From the end of an answer to the header of the next one nothing is learnt. End marks alternate: a question's, an answer's.
    private int[] Label(List<int> ids)
    {
        int[] labels = [.. ids];
        (int ends, int after, bool isClosed) = (0, 0, false);
        for (int i = 0; i < ids.Count && !isClosed; i++)
        {
            if (ids[i] == end)
            {
                if (ends % 2 == 0)
                    Ignore(after, Math.Min(labels.Length, i + headerLength));
                else
                    after = i + 1;
                ends++;
            }
            else if (ids[i] == tokenizer.EosId)
            {
                Ignore(i + 1, labels.Length);
                isClosed = true;
            }
        }

        if (!isClosed && ends % 2 == 0)
            Ignore(Math.Min(labels.Length, after + 1), labels.Length);
        return labels;

        void Ignore(int from, int to) => labels.AsSpan(from..Math.Max(from, to)).Fill(Ignored);
    }
}
