using System.Globalization;

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

    /// <summary>Writes to standard error whether the answer was cut off and, if verbose, how long it took.</summary>
    /// <param name="result">The answer.</param>
    /// <param name="maxTokens">Its limit.</param>
    /// <param name="isVerbose">Whether to write tokens and times.</param>
    /// <param name="isConversation">Whether commands can be typed.</param>
    public void PrintRemarks(GenerationResult result, int maxTokens, bool isVerbose, bool isConversation)
    {
        if (result.FinishReason == FinishReason.Length)
        {
            int tokens = result.Usage.CompletionTokens;
            string why = (tokens >= maxTokens, isConversation) switch
            {
                (true, false) => $"--max-tokens {maxTokens} is reached",
                (true, true) => "/set max-tokens N allows longer answers",
                (false, false) => "the context is full, a longer --context is needed",
                (false, true) => "the context is full, /reset forgets the conversation",
            };
            if (isConversation)
                console.Error.WriteLine(console.Dim($"(cut off after {tokens} tokens: {why})"));
            else
                console.Complain($"the answer is cut off after {tokens} tokens: {why}");
        }

        if (!isVerbose)
            return;
        (TokenUsage usage, GenerationTimings times) = (result.Usage, result.Timings);
        console.Error.WriteLine(console.Dim(
            $"prompt {usage.PromptTokens} tokens ({usage.ImageTokens} of pictures, {usage.CachedTokens} cached), answer {usage.CompletionTokens}, seed {result.Seed}; "
            + $"pictures {Ms(times.ImageDecode)}, vision {Ms(times.Vision)}, prefill {Ms(times.Prefill)}, decode {Ms(times.Decode)} ({Ms(times.PerToken)} a token)"));
        TimeSpan all = times.Waiting + times.ImageDecode + times.Vision + times.Prefill + times.Decode;
        double rate = times.Decode > TimeSpan.Zero ? times.DecodeSteps / times.Decode.TotalSeconds : 0;
        console.Error.WriteLine(console.Dim(string.Create(
            CultureInfo.InvariantCulture, $"{usage.CompletionTokens} tokens, {all.TotalSeconds:0.00} s in all, {rate:0.0} tokens/s, finish reason {ChatJson.FinishName(result.FinishReason)}")));
    }

    private static string Ms(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.0} ms");
}
