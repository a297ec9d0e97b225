namespace XComposer2.Native.Cli;

/// <summary>Shows an answer while it is made.</summary>
internal sealed class AnswerPrinter(CliConsole console)
{
    /// <summary>Text so far is shown when this throws, and its line is ended.</summary>
    /// <param name="events">Of the engine.</param>
    /// <param name="isSilent">Shows nothing: the result is all that is wanted.</param>
    /// <exception cref="OperationCanceledException">The answer was stopped.</exception>
    public async Task<GenerationResult> PrintAsync(IAsyncEnumerable<GenerationEvent> events, bool isSilent)
    {
        bool isLineOpen = false;
        GenerationResult? result = null;
        IAsyncEnumerator<GenerationEvent> running = events.GetAsyncEnumerator();
        await using (running.ConfigureAwait(false))
        {
            try
            {
                bool isMore = await console.WaitAsync("reading", running.MoveNextAsync().AsTask()).ConfigureAwait(false);
                for (; isMore; isMore = await running.MoveNextAsync().ConfigureAwait(false))
                {
                    if (running.Current is TextDelta delta && !isSilent)
                    {
                        console.Say(delta.Text);
                        isLineOpen = !delta.Text.EndsWith('\n');
                    }
                    else if (running.Current is GenerationCompleted completed)
                    {
                        result = completed.Result;
                        // An empty answer is an empty line: a reader of the pipe sees that it came.
                        isLineOpen |= !isSilent && result.Text.Length == 0;
                    }
                }
            }
            finally
            {
                if (isLineOpen)
                    console.Say("\n");
            }
        }
        return result ?? throw new EngineException("the answer ended without a result");
    }

    /// <summary>What a person at a terminal wants to know beside the answer.</summary>
    public void PrintRemarks(GenerationResult result, bool isVerbose)
    {
        if (result.FinishReason == FinishReason.Length)
            console.Note($"(cut off after {result.Usage.CompletionTokens} tokens: --max-tokens or the context is used up)");
        if (!isVerbose)
            return;
        (TokenUsage usage, GenerationTimings times) = (result.Usage, result.Timings);
        console.Error.WriteLine(console.Dim(
            $"prompt {usage.PromptTokens} tokens ({usage.ImageTokens} of pictures, {usage.CachedTokens} cached), answer {usage.CompletionTokens}, seed {result.Seed}; "
            + $"pictures {Ms(times.ImageDecode)}, vision {Ms(times.Vision)}, prefill {Ms(times.Prefill)}, decode {Ms(times.Decode)} ({Ms(times.PerToken)} a token)"));
    }

    private static string Ms(TimeSpan time) => $"{time.TotalMilliseconds:0.0} ms";
}
