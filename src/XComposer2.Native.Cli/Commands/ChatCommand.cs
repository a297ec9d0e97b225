using System.CommandLine;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 chat</c>.</summary>
internal static class ChatCommand
{
    public const string HelpPage = $$"""
        Usage: xc2 chat [options] [PROMPT]

        Answers PROMPT about text and pictures. Without PROMPT: what a pipe brings, or
        a conversation at a terminal. With both, the piped text comes before PROMPT;
        PROMPT - is standard input alone. Pictures stand where the prompt says
        <ImageHere>, in order; where it does not, before the text.

        Model
        {{ModelOptions.HelpLines}}
        {{ModelOptions.FitHelpLines}}

        Question
          -i, --image FILE         a picture: PNG, JPEG, WebP, GIF, BMP or TIFF; also an
                                   https:// address, or - for standard input; repeat
                                   for more
          --exif apply|ignore      whether pictures are turned upright as the camera
                                   noted (apply; the original ignores it)
          --allow-private          addresses of pictures may lead to this machine or a
                                   private network
          -s, --system TEXT        what the model is told beforehand
          --prompt-style NAME      how it is written: chat (as the published chat()),
                                   train, eval or gradio (the checkpoint's own)

        Answer
          --greedy                 the most likely token, every time
          -t, --temperature T      0 for greedy (1)
          --top-p P                over 0, at most 1 (0.8)
          --top-k K                the K most likely tokens; 0 for all (50)
          --repetition-penalty R   over 0; 1 is none (1.005)
          --seed N                 the same seed gives the same text; below 2^53
        {{BeamOptions.HelpLines}}
          -n, --max-tokens N       longest answer (1024)
          --stop TEXT              the answer ends before TEXT; repeat for more
          --json                   one JSON object: text, tokens, seed, times
          -v, --verbose            timings, and stack traces of errors

        Conversation
          --no-history             keeps no messages for later runs; else they lie in
                                   $XC2_HISTORY (~/.local/state/xc2/history; off: no)

        Examples
          xc2 chat --image cat.png "What is in this picture?"
          xc2 chat --image a.png --image b.png "<ImageHere> or <ImageHere>: the older?"
          xc2 chat --greedy --json --image cat.png - < question.txt
        """;

    public static Command Create(CliServices services, Option<bool> verbose)
    {
        Argument<string?> prompt = new("PROMPT") { Arity = ArgumentArity.ZeroOrOne };
        Option<string?> model = ModelOptions.Model();
        Option<string[]> adapters = ModelOptions.Adapters();
        Option<DeviceKind?> device = ModelOptions.Device();
        Option<DType?> storage = ModelOptions.Storage();
        Option<EmbeddingPlace?> embeddings = ModelOptions.Embeddings();
        WeightOptions weights = new();
        (Option<bool> Fit, Option<bool> NoFit) fit = ModelOptions.Fit();
        Option<ActivationPrecision?> activations = ModelOptions.Activations();
        Option<CacheFormat?> cache = ModelOptions.Cache();
        Option<SumPrecision?> sums = ModelOptions.Sums();
        Option<WeightLoading?> loading = ModelOptions.Loading();
        Option<int?> threads = ModelOptions.Threads();
        Option<int?> context = CheckedOption.Integer("--context", 1);
        Option<string[]> images = new("--image", "-i") { Arity = ArgumentArity.OneOrMore };
        Option<ExifOrientation?> exif = ModelOptions.Exif();
        Option<bool> allowPrivate = CheckedOption.Flag("--allow-private");
        Option<string?> system = new("--system", "-s");
        Option<string?> style = new("--prompt-style");
        style.CompletionSources.Add([.. PromptStyle.All.Select(known => known.Name)]);
        SamplingOptions sampling = new();
        BeamOptions beams = new();
        Option<int?> maxTokens = CheckedOption.Of("--max-tokens", SamplingValues.MaxTokens, "-n");
        Option<string[]> stop = new("--stop") { Arity = ArgumentArity.OneOrMore };
        Option<bool> json = CheckedOption.Flag("--json");
        Option<bool> noHistory = CheckedOption.Flag("--no-history");
        DocumentedCommand command = new("chat", HelpPage)
        {
            prompt, model, adapters, device, storage, embeddings, fit.Fit, fit.NoFit, activations, cache, sums, loading, threads, context, images, exif, allowPrivate, system, style, maxTokens, stop, json, noHistory,
        };
        weights.AddTo(command);
        sampling.AddTo(command);
        beams.AddTo(command);
        command.SetAction((result, cancellationToken) =>
        {
            GenerationOptions defaults = new();
            return new ChatRun(services, new ChatRequest
            {
                ModelPath = result.GetValue(model),
                Adapters = result.GetValue(adapters) is { Length: > 0 } folders ? folders : [],
                Loading = result.GetValue(loading) ?? WeightLoading.Mapped,
                Prompt = result.GetValue(prompt),
                Images = result.GetValue(images) ?? [],
                Orientation = result.GetValue(exif) ?? ExifOrientation.Apply,
                AllowPrivateAddresses = result.GetValue(allowPrivate),
                Device = ModelOptions.DeviceOf(result, device, threads, storage, embeddings, activations, cache, sums),
                Quantization = weights.Read(result).Quantization,
                Fit = ModelOptions.FitOf(result, fit, weights.IsChosen(result)),
                ContextLength = result.GetValue(context),
                Session = new SessionOptions { System = result.GetValue(system), PromptStyle = result.GetValue(style) },
                Generation = beams.Read(result, sampling.Read(result, defaults)) with
                {
                    MaxTokens = result.GetValue(maxTokens) ?? defaults.MaxTokens,
                    Stop = result.GetValue(stop) ?? [],
                },
                Json = result.GetValue(json),
                KeepsHistory = !result.GetValue(noHistory),
                Verbose = result.GetValue(verbose),
            }).RunAsync(cancellationToken);
        });
        return command;
    }
}
