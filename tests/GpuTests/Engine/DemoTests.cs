using System.Text.Json;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The demo checkpoint answers on the device as it does on the processor.</summary>
public sealed class DemoTests(GpuDevice device)
{
    private static readonly GenerationOptions greedy = new() { Greedy = true, RepetitionPenalty = 1f, MaxTokens = 60 };

    private static readonly string demo = RepositoryPaths.Find("tools/demo");

    /// <summary>Questions with a lead of more than one logit, so that 16-bit arithmetic does not decide.</summary>
    [Fact]
    public async Task Answers_are_those_of_the_samples()
    {
        using XComposerEngine engine = await LoadAsync(DeviceKind.Cuda);
        Assert.StartsWith("cuda, ", engine.Info.Device, StringComparison.Ordinal);
        using JsonDocument samples = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(demo, "pictures", "samples.json"), TestContext.Current.CancellationToken));
        int asked = 0;
        foreach (JsonElement sample in samples.RootElement.EnumerateArray())
        {
            string picture = Path.Combine(demo, "pictures", sample.GetProperty("image").GetString()!);
            foreach (JsonElement question in sample.GetProperty("asked").EnumerateArray().Take(2))
            {
                using ChatSession session = engine.CreateSession();
                GenerationResult result = await AskAsync(session, question.GetProperty("question").GetString()!, picture, greedy);
                Assert.Equal(question.GetProperty("answer").GetString(), result.Text);
                asked++;
            }
        }

        Assert.True(asked >= 8, $"only {asked} questions were asked");
    }

    /// <summary>Over several turns, so that the cache, replayed decode steps over a page border, and prefill after cached tokens take part.</summary>
    [Fact]
    public async Task A_conversation_is_the_processors()
    {
        using XComposerEngine cuda = await LoadAsync(DeviceKind.Cuda);
        using XComposerEngine cpu = await LoadAsync(DeviceKind.Cpu);
        using ChatSession onCuda = cuda.CreateSession();
        using ChatSession onCpu = cpu.CreateSession();
        string picture = Path.Combine(demo, "pictures", "shapes-3.png");
        foreach ((string question, string? image) in new[] { ("Describe this image.", picture), ("How many shapes are there?", null), ("List the shapes as JSON.", null) })
        {
            GenerationResult expected = await AskAsync(onCpu, question, image, greedy);
            GenerationResult found = await AskAsync(onCuda, question, image, greedy);
            Assert.Equal(expected.TokenIds, found.TokenIds);
            Assert.Equal(expected.Usage, found.Usage);
        }
    }

    /// <summary>With the decoder's linears as int8 on both, and the storage that every generation has: prefill, replayed decode steps over a page border, prefill after cached tokens.</summary>
    [Fact]
    public async Task A_quantised_conversation_is_the_processors()
    {
        using XComposerEngine cuda = await LoadAsync(DeviceKind.Cuda, Graph.DType.F16, WeightQuantization.Int8);
        using XComposerEngine cpu = await LoadAsync(DeviceKind.Cpu, quantization: WeightQuantization.Int8);
        foreach (string name in new[] { "shapes-3.png", "shapes-5.png" })
        {
            using ChatSession onCuda = cuda.CreateSession();
            using ChatSession onCpu = cpu.CreateSession();
            string picture = Path.Combine(demo, "pictures", name);
            foreach ((string question, string? image) in new[] { ("Describe this image.", picture), ("How many shapes are there?", null), ("List the shapes as JSON.", null) })
            {
                GenerationResult expected = await AskAsync(onCpu, question, image, greedy);
                GenerationResult found = await AskAsync(onCuda, question, image, greedy);
                Assert.Equal(expected.TokenIds, found.TokenIds);
            }
        }
    }

    /// <summary>The device draws the numbers that the processor draws.</summary>
    [Fact]
    public async Task A_seed_gives_the_processors_text()
    {
        using XComposerEngine cuda = await LoadAsync(DeviceKind.Cuda, Graph.DType.F32);
        using XComposerEngine cpu = await LoadAsync(DeviceKind.Cpu);
        using ChatSession onCuda = cuda.CreateSession();
        using ChatSession onCpu = cpu.CreateSession();
        string picture = Path.Combine(demo, "pictures", "shapes-1.png");
        var sampled = new GenerationOptions { Seed = 11, Temperature = 2f, TopP = 0.95f, TopK = 40, RepetitionPenalty = 1.1f, MaxTokens = 25 };
        GenerationResult expected = await AskAsync(onCpu, "Describe this image.", picture, sampled);
        GenerationResult found = await AskAsync(onCuda, "Describe this image.", picture, sampled);
        Assert.Equal(expected.TokenIds, found.TokenIds);
    }

    private async Task<XComposerEngine> LoadAsync(DeviceKind kind, Graph.DType? storage = null, WeightQuantization quantization = default)
    {
        Assert.NotNull(device.Context);
        var options = new EngineOptions
        {
            ModelPath = Path.Combine(demo, "checkpoint"), Limits = new EngineLimits { Context = 512 }, Quantization = quantization, Device = new DeviceOptions { Kind = kind, Storage = storage, Activations = ActivationPrecision.Float },
        };
        return await XComposerEngine.LoadAsync(options, TestContext.Current.CancellationToken);
    }

    private static async Task<GenerationResult> AskAsync(ChatSession session, string question, string? picture, GenerationOptions options)
    {
        var message = new UserMessage(question, picture is null ? [] : [ImageInput.FromFile(picture)]);
        await foreach (GenerationEvent next in session.SendAsync(message, options, TestContext.Current.CancellationToken))
            if (next is GenerationCompleted completed)
                return completed.Result;
        throw new InvalidOperationException("an answer ended without a result");
    }
}
