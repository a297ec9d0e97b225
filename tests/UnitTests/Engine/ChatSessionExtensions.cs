using System.Text;
using Xunit;

namespace XComposer2.Native.UnitTests;

internal static class ChatSessionExtensions
{
    /// <summary>Asks and waits; checks on the way that the streamed text is the result's.</summary>
    public static async Task<GenerationResult> AskAsync(this ChatSession session, UserMessage message, GenerationOptions options)
    {
        var streamed = new StringBuilder();
        GenerationResult? result = null;
        await foreach (GenerationEvent next in session.SendAsync(message, options, TestContext.Current.CancellationToken))
        {
            Assert.Null(result);
            switch (next)
            {
                case TextDelta delta:
                    Assert.NotEqual(string.Empty, delta.Text);
                    streamed.Append(delta.Text);
                    break;
                case GenerationCompleted completed:
                    result = completed.Result;
                    break;
            }
        }

        Assert.NotNull(result);
        Assert.Equal(result.Text, streamed.ToString());
        Assert.Equal(result.TokenIds.Count, result.Usage.CompletionTokens);
        return result;
    }
}
