using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Verification;

/// <summary>Compares a quantised checkpoint with its source on a few prompts, with pictures and without: logits and greedy choices along the source's own answers.</summary>
public static class QuantizationComparison
{
    private const int AnswerTokens = 24;

    // A question without a picture, and questions about pictures of a gradient and of a chequerboard.
    private static readonly (string Text, int? Picture)[] prompts =
    [
        ("Describe this image.", 0), ("How many shapes are there?", 1), ("What is the capital of France?", null), ("请描述这张图片。", 1), ("Count from one to ten.", null),
    ];

    /// <param name="source">The checkpoint that was quantised.</param>
    /// <param name="quantized">What became of it.</param>
    /// <param name="device">Where to run both, one after the other.</param>
    /// <param name="progress">Told each prompt as it is done.</param>
    /// <param name="cancellationToken">Looked at between operations.</param>
    /// <exception cref="CheckpointException">A checkpoint is damaged.</exception>
    /// <exception cref="EngineException">The device does not work, or the models do not fit.</exception>
    public static IReadOnlyList<PromptAgreement> Run(string source, string quantized, DeviceOptions device, IProgress<PromptAgreement>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        List<AnsweredPrompt> answers = Answer(source, device, cancellationToken);
        var results = new List<PromptAgreement>();
        using LoadedModel model = LoadedModel.Open(quantized, device);
        using var run = new PromptRun(model);
        foreach (AnsweredPrompt answer in answers)
        {
            PromptAgreement agreement = run.Compare(answer, cancellationToken);
            results.Add(agreement);
            progress?.Report(agreement);
        }

        return results;
    }

    private static List<AnsweredPrompt> Answer(string source, DeviceOptions device, CancellationToken cancellation)
    {
        using LoadedModel model = LoadedModel.Open(source, device);
        using var run = new PromptRun(model);
        return [.. prompts.Select(prompt => run.Answer(prompt.Text, prompt.Picture, AnswerTokens, cancellation))];
    }

    /// <summary>An answer of the source, with the logits that every token was chosen from.</summary>
    internal sealed record AnsweredPrompt(string Text, int? Picture, int[] Ids, float[][] Logits);

    /// <summary>One model, asked without a scheduler.</summary>
    private sealed class PromptRun : IDisposable
    {
        private readonly LoadedModel model;
        private readonly ModelRunner runner;
        private readonly TextTokenizer tokenizer;
        private readonly ChatTemplate template;

        public PromptRun(LoadedModel model)
        {
            this.model = model;
            int context = Math.Min(model.Config.Decoder.MaximumPositions, model.Config.TokensPerImage + 256);
            EngineSizes sizes = EngineSizes.ForOne(model.Config, context);
            ModelMemoryPlan.For(model, sizes, EmbeddingPlace.Device).RequireFit(model.Backend);
            tokenizer = TextTokenizer.Load(model.Checkpoint.Directory, model.Config.Decoder.VocabularySize);
            template = new ChatTemplate(tokenizer, PromptStyle.Train, model.Config.EosTokenIds);
            runner = new ModelRunner(model.Config, model.Weights, model.Backend, sizes);
        }

        public AnsweredPrompt Answer(string text, int? picture, int tokens, CancellationToken cancellation)
        {
            using var sequence = new KeyValueSequence(runner.Pool);
            runner.Prefill(sequence, [.. Positions(text, picture)], cancellation);
            var ids = new List<int>();
            var logits = new List<float[]>();
            while (ids.Count < tokens)
            {
                logits.Add(runner.Logits.ToArray());
                ids.Add(PromptVerification.IndexOfLargest(runner.Logits));
                if (template.StopIds.Contains(ids[^1]))
                    break;
                runner.Decode(sequence, ids[^1], cancellation);
            }

            return new AnsweredPrompt(text, picture, [.. ids], [.. logits]);
        }

        public PromptAgreement Compare(AnsweredPrompt answer, CancellationToken cancellation)
        {
            using var sequence = new KeyValueSequence(runner.Pool);
            runner.Prefill(sequence, [.. Positions(answer.Text, answer.Picture)], cancellation);
            double least = 1, sum = 0;
            int agreed = 0;
            for (int step = 0; step < answer.Ids.Length; step++)
            {
                double cosine = Cosine(answer.Logits[step], runner.Logits);
                least = Math.Min(least, cosine);
                sum += cosine;
                agreed += PromptVerification.IndexOfLargest(runner.Logits) == answer.Ids[step] ? 1 : 0;
                if (step < answer.Ids.Length - 1)
                    runner.Decode(sequence, answer.Ids[step], cancellation);
            }

            return new PromptAgreement(answer.Text, answer.Picture is not null, answer.Ids.Length, agreed, sum / answer.Ids.Length, least);
        }

        public void Dispose() => runner.Dispose();

        private List<PromptPosition> Positions(string text, int? picture)
        {
            PreparedPicture[] pictures = picture is { } index ? [DrawnPictures.Of(model.Config, index)] : [];
            return new Conversation(template.Render(null, [new ChatTurn(text, pictures.Length, null)]), pictures, []).Positions();
        }

        private static double Cosine(ReadOnlySpan<float> left, ReadOnlySpan<float> right)
        {
            double product = 0, leftSquares = 0, rightSquares = 0;
            for (int i = 0; i < left.Length; i++)
            {
                product += (double)left[i] * right[i];
                leftSquares += (double)left[i] * left[i];
                rightSquares += (double)right[i] * right[i];
            }

            return product / Math.Sqrt(leftSquares * rightSquares);
        }
    }
}

/// <summary>How far a quantised model agrees with its source on one prompt.</summary>
/// <param name="Prompt">The question.</param>
/// <param name="HasPicture">It is about a picture.</param>
/// <param name="Tokens">Tokens of the source's greedy answer.</param>
/// <param name="Agreed">Of these, how many the quantised model would have chosen too.</param>
/// <param name="MeanCosine">Of the logits that they were chosen from.</param>
/// <param name="LeastCosine">The smallest of these.</param>
public sealed record PromptAgreement(string Prompt, bool HasPicture, int Tokens, int Agreed, double MeanCosine, double LeastCosine);

/// <summary>Normalised pixels of pictures that need no file.</summary>
internal static class DrawnPictures
{
    /// <summary>Different ones.</summary>
    public const int Count = 4;

    /// <param name="config">States the size.</param>
    /// <param name="index">A gradient, a chequerboard, rings, or noise in blocks.</param>
    public static PreparedPicture Of(ModelConfig config, int index)
    {
        int size = config.ImageSize;
        var pixels = new float[3 * size * size];
        for (int plane = 0; plane < 3; plane++)
            for (int y = 0; y < size; y++)
                for (int x = 0; x < size; x++)
                    pixels[(((plane * size) + y) * size) + x] = index switch
                    {
                        0 => (2f * (plane == 0 ? x : plane == 1 ? y : size - x) / size) - 1,
                        1 => ((8 * x / size) + (8 * y / size)) % 2 == 0 ? 1.5f - plane : -1.5f,
                        2 => MathF.Sin((plane + 2) * 20f * MathF.Sqrt((((float)x / size) - 0.5f) * (((float)x / size) - 0.5f) + ((((float)y / size) - 0.4f) * (((float)y / size) - 0.4f)))),
                        _ => (((((32 * x / size) * 73) + ((32 * y / size) * 151) + (plane * 37)) * 2654435761L % 1000) / 333f) - 1.5f,
                    };
        return new PreparedPicture(new ImageContentHash(0, 0, 0, (ulong)index), config.TokensPerImage, pixels);
    }
}
