using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The demo checkpoint with a runner on it.</summary>
internal sealed class DemoModel : IDisposable
{
    private readonly PreparedWeights weights;
    private readonly CpuBackend backend;

    public DemoModel(int context = 512, int prefillStepTokens = EngineSizes.MaximumStepTokens, int threads = 2, Func<IWeightSource, IWeightSource>? change = null, CacheFormat cache = default, int sequences = 1)
    {
        Checkpoint checkpoint = CheckpointFolder.Open(TestPaths.Repository("tools/demo/checkpoint"));
        Config = checkpoint.Config;
        weights = new PreparedWeights(change is null ? checkpoint : change(checkpoint), Config);
        backend = new CpuBackend(threads, cache);
        EngineSizes sizes = EngineSizes.ForOne(Config, context);
        Sizes = sizes with { StepTokens = Math.Min(sizes.StepTokens, prefillStepTokens), Sequences = sequences, CachePages = sequences * sizes.CachePages };
        Runner = new ModelRunner(Config, weights, backend, Sizes);
    }

    public ModelConfig Config { get; }

    public EngineSizes Sizes { get; }

    public ModelRunner Runner { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public Span<float> Prefill(KeyValueSequence sequence, ReadOnlySpan<PromptPosition> positions)
    {
        Runner.Prefill(sequence, positions, Cancellation);
        return Runner.Logits;
    }

    public Span<float> Decode(KeyValueSequence sequence, int id)
    {
        Runner.Decode(sequence, id, Cancellation);
        return Runner.Logits;
    }

    /// <summary>The picture, whose rows a prompt makes.</summary>
    public PreparedPicture Encode(string picture)
    {
        RgbImage image = ImageDecoder.DecodeFile(TestPaths.Golden("demo-cases/" + picture), ImageLimits.Default);
        var pixels = new float[3 * Config.ImageSize * Config.ImageSize];
        ImagePreprocessor.Run(image, Config.ImageSize, SquareMode.Squash, pixels);
        return new PreparedPicture(ImageContentHash.Of(image, SquareMode.Squash), Config.TokensPerImage, pixels);
    }

    /// <summary>Some text around a picture, or without one: reproducible ids.</summary>
    public static PromptPosition[] Prompt(int before, PreparedPicture? image, int after)
    {
        var positions = new List<PromptPosition>();
        for (int i = 0; i < before + after; i++)
        {
            if (i == before && image is not null)
                for (int row = 0; row < image.TokenCount; row++)
                    positions.Add(PromptPosition.Visual(image, row));
            positions.Add(PromptPosition.Text(300 + ((i * 37) % 900)));
        }

        return [.. positions];
    }

    public void Dispose()
    {
        Runner.Dispose();
        backend.Dispose();
        weights.Dispose();
    }
}
