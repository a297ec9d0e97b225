using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Eight conversations of two turns, half of them about pictures, half of them sampled: together they answer as each does alone.</summary>
internal static class Conversations
{
    private const int Count = 8;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="engine">Whose limits allow all of them.</param>
    /// <param name="pictures">Folder of the demo's pictures.</param>
    /// <param name="tokens">Of each answer at most, or some more.</param>
    public static async Task CheckAsync(XComposerEngine engine, string pictures, int tokens)
    {
        var alone = new GenerationResult[Count][];
        for (int index = 0; index < Count; index++)
        {
            await engine.ForgetPrefixesAsync();
            alone[index] = await TalkAsync(engine, pictures, index, tokens);
        }

        await engine.ForgetPrefixesAsync();
        int most = 0;
        Task<GenerationResult[]>[] talks = [.. Enumerable.Range(0, Count).Select(index => Task.Run(() => TalkAsync(engine, pictures, index, tokens), Cancellation))];
        while (!Task.WhenAll(talks).IsCompleted)
            most = Math.Max(most, await engine.OnThreadAsync(() => engine.Scheduler.Answering));
        Assert.True(most >= 3, $"at most {most} answers were under way together");
        for (int index = 0; index < Count; index++)
        {
            GenerationResult[] together = await talks[index];
            for (int turn = 0; turn < together.Length; turn++)
            {
                Assert.Equal(alone[index][turn].TokenIds, together[turn].TokenIds);
                Assert.Equal((alone[index][turn].Text, alone[index][turn].FinishReason), (together[turn].Text, together[turn].FinishReason));
                Assert.Equal(alone[index][turn].Usage.PromptTokens, together[turn].Usage.PromptTokens);
            }
        }

        // Nothing is held but what is kept for those that begin alike.
        Assert.Equal(
            await engine.OnThreadAsync(() => engine.Scheduler.PageCount), await engine.OnThreadAsync(() => engine.Scheduler.AvailablePages));
    }

    private static async Task<GenerationResult[]> TalkAsync(XComposerEngine engine, string pictures, int index, int tokens)
    {
        await using ChatSession session = engine.CreateSession();
        bool seesPicture = index % 2 == 0;
        GenerationOptions options = index % 4 < 2
            ? new GenerationOptions { Greedy = true, RepetitionPenalty = 1f, MaxTokens = tokens }
            : new GenerationOptions { Seed = (ulong)index, Temperature = 1.5f, TopP = 0.95f, TopK = 40, RepetitionPenalty = 1.1f, MaxTokens = tokens + (index / 2) };
        UserMessage first = seesPicture
            ? new UserMessage("Describe this image.", [ImageInput.FromFile(Path.Combine(pictures, $"shapes-{1 + (index / 2)}.png"))])
            : new UserMessage($"What is the color of shape {index}?");
        return [await AskAsync(session, first, options), await AskAsync(session, new UserMessage("How many shapes are there?"), options)];
    }

    private static async Task<GenerationResult> AskAsync(ChatSession session, UserMessage message, GenerationOptions options)
    {
        await foreach (GenerationEvent next in session.SendAsync(message, options, Cancellation))
            if (next is GenerationCompleted completed)
                return completed.Result;
        throw new InvalidOperationException("an answer ended without a result");
    }
}
