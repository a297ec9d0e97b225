namespace XComposer2.Native.Model;

/// <summary>
/// Turns a conversation into prompt pieces. Immutable, safe to share between threads. Marks of turns come from here alone: the text of
/// users, system and answer prefix is encoded as <see cref="TextTokenizer.EncodeUserText"/> does.
/// </summary>
public sealed class ChatTemplate
{
    /// <summary>Where a picture stands in the text of a user.</summary>
    public const string Placeholder = "<ImageHere>";

    // As fine-tuning and the composition demo write several pictures.
    private const string PictureSeparator = " ";

    private const string StartPiece = "[UNUSED_TOKEN_146]", EndPiece = "[UNUSED_TOKEN_145]";
    private const string SystemRole = "system\n", UserRole = "user\n", AssistantRole = "assistant\n", LineEnd = "\n";

    private readonly TextTokenizer tokenizer;
    private readonly PromptStyle style;
    private readonly int start;
    private readonly int end;

    /// <param name="tokenizer">Of the model.</param>
    /// <param name="style">How the prompt is written.</param>
    /// <param name="stopIds">Additional IDs that end an answer, from config.json.</param>
    /// <exception cref="CheckpointException">The tokenizer lacks the pieces that mark turns.</exception>
    public ChatTemplate(TextTokenizer tokenizer, PromptStyle style, params IEnumerable<int> stopIds)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(style);
        this.tokenizer = tokenizer;
        this.style = style;
        start = tokenizer.FindMark(StartPiece);
        end = tokenizer.FindMark(EndPiece);
        List<int> stops = [end];
        foreach (int id in (int[])[tokenizer.EosId, .. stopIds])
            if (!stops.Contains(id))
                stops.Add(id);
        StopIds = stops;
    }

    /// <summary>Ids that end an answer: end of turn and end of text.</summary>
    public IReadOnlyList<int> StopIds { get; }

    /// <param name="system">Text of the system turn; null for the style's own, empty for none.</param>
    /// <param name="turns">At least one; the last one without an answer.</param>
    /// <param name="answerPrefix">Text that the answer begins with, already said; usually empty.</param>
    /// <returns>Neighbouring texts are joined; never an empty text.</returns>
    /// <exception cref="PromptException">Placeholders and pictures differ in number, or a question is empty.</exception>
    public IReadOnlyList<PromptPiece> Render(string? system, IReadOnlyList<ChatTurn> turns, string answerPrefix = "")
    {
        ArgumentNullException.ThrowIfNull(turns);
        ArgumentNullException.ThrowIfNull(answerPrefix);
        Check(turns);
        int pictures = turns.Sum(turn => turn.ImageCount);
        PromptWriter prompt = new(tokenizer, style.Bos, style.BosTwiceWithoutPictures && pictures == 0);
        if (style.Pictures == PicturePlace.BeforePrompt)
            WritePictures(prompt, 0, pictures);
        if ((system ?? style.System) is { Length: > 0 } text)
        {
            Begin(prompt, SystemRole);
            prompt.Text(text);
            End(prompt);
        }
        int written = 0;
        foreach (ChatTurn turn in turns)
        {
            WriteQuestion(prompt, turn, written);
            written += turn.ImageCount;
            Begin(prompt, AssistantRole);
            if (turn.AnswerIds is null)
                continue;
            prompt.Ids(turn.AnswerIds);
            End(prompt);
        }
        prompt.Text(answerPrefix);
        return prompt.Finish();
    }

    private static void Check(IReadOnlyList<ChatTurn> turns)
    {
        ArgumentOutOfRangeException.ThrowIfZero(turns.Count, nameof(turns));
        for (int i = 0; i < turns.Count; i++)
        {
            ChatTurn turn = turns[i];
            ArgumentOutOfRangeException.ThrowIfNegative(turn.ImageCount, nameof(turns));
            if (turn.AnswerIds is null != (i == turns.Count - 1))
                throw new ArgumentException($"turn {i + 1} of {turns.Count}: every turn but the last one has its answer", nameof(turns));
            int placeholders = CountPlaceholders(turn.User);
            if (placeholders != 0 && placeholders != turn.ImageCount)
                throw new PromptException($"turn {i + 1}: {Placeholder} placeholders in the text: {placeholders}, pictures: {turn.ImageCount}; write one for each picture, or none");
            if (turn.ImageCount == 0 && string.IsNullOrWhiteSpace(turn.User))
                throw new PromptException($"turn {i + 1}: the question is empty: neither text nor a picture");
        }
    }

    private static int CountPlaceholders(string text) => text.AsSpan().Count(Placeholder);

    private void WriteQuestion(PromptWriter prompt, ChatTurn turn, int firstPicture)
    {
        if (style.Pictures == PicturePlace.BeforeTurn)
            WritePictures(prompt, firstPicture, turn.ImageCount);
        Begin(prompt, UserRole);
        bool inText = style.Pictures == PicturePlace.InText;
        if (inText && CountPlaceholders(turn.User) == 0)
            WritePictures(prompt, firstPicture, turn.ImageCount, PictureSeparator);
        int picture = firstPicture;
        ReadOnlySpan<char> user = turn.User;
        for (int at = user.IndexOf(Placeholder); at >= 0; at = user.IndexOf(Placeholder))
        {
            prompt.Text(user[..at]);
            if (inText)
                prompt.Picture(picture++);
            user = user[(at + Placeholder.Length)..];
        }
        prompt.Text(user);
        End(prompt);
    }

    private static void WritePictures(PromptWriter prompt, int first, int count, string separator = "")
    {
        for (int i = 0; i < count; i++)
        {
            if (i > 0)
                prompt.Text(separator);
            prompt.Picture(first + i);
        }
    }

    private void Begin(PromptWriter prompt, string role)
    {
        prompt.Mark(start);
        prompt.Text(role);
    }

    private void End(PromptWriter prompt)
    {
        prompt.Mark(end);
        prompt.Text(LineEnd);
    }
}

/// <summary>A question and, but for the last one, its answer.</summary>
/// <param name="User">May say <c>&lt;ImageHere&gt;</c> once for each picture; otherwise the pictures stand before the text.</param>
/// <param name="ImageCount">Pictures of this turn.</param>
/// <param name="AnswerIds">Generated ids without the end mark; null where the answer is wanted.</param>
public sealed record ChatTurn(string User, int ImageCount, IReadOnlyList<int>? AnswerIds);

/// <summary>A conversation that cannot be made into a prompt; the message is for the person who wrote it.</summary>
public sealed class PromptException : XComposerException
{
    public PromptException(string message)
        : base(message)
    {
    }
}
