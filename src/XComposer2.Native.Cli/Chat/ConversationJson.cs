namespace XComposer2.Native.Cli;

/// <summary>A saved conversation.</summary>
internal sealed record ConversationJson(string Model, string? System, IReadOnlyList<TurnJson> Turns)
{
    public static ConversationJson Of(string model, string? system, IEnumerable<ChatExchange> turns) => new(model, system, [.. turns.Select(TurnJson.Of)]);
}
