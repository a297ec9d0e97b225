namespace XComposer2.Native.Cli;

/// <summary>One turn of a saved conversation.</summary>
internal sealed record TurnJson(string Question, IReadOnlyList<string> Images, string Answer, string FinishReason, ulong Seed)
{
    public static TurnJson Of(ChatExchange turn) => new(
        turn.Question.Text, [.. turn.Question.Images.Select(image => image.Name)], turn.Answer.Text, ChatJson.FinishName(turn.Answer.FinishReason), turn.Answer.Seed);
}
