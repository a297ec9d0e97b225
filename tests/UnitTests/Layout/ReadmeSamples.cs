using Microsoft.Extensions.AI;
using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;
using XComposer2.Native.Composition.Storage;
using XComposer2.Native.Cuda;
using XComposer2.Native.Devices;
using XComposer2.Native.Extensions.AI;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.UnitTests;

/// <summary>The C# samples of the README files, compiled. Each region is named after its file; <see cref="ReadmeSampleTests"/> compares the texts.</summary>
internal static class ReadmeSamples
{
    public static async Task ChatAsync()
    {
        #region README.md
        using XComposerEngine engine = await XComposerEngine.LoadAsync(new EngineOptions { ModelPath = "./internlm-xcomposer2-vl-7b" });
        using ChatSession session = engine.CreateSession();
        var message = new UserMessage("What is in this picture?", [ImageInput.FromFile("cat.png")]);
        await foreach (GenerationEvent next in session.SendAsync(message))
            if (next is TextDelta delta)
                Console.Write(delta.Text);
        #endregion
    }

    public static async Task ChatClientAsync()
    {
        #region src/XComposer2.Native.Extensions.AI/README.md
        using var client = new XComposerChatClient(await XComposerEngine.LoadAsync(new EngineOptions { ModelPath = "./internlm-xcomposer2-vl-7b" }), ownsEngine: true);
        var question = new ChatMessage(ChatRole.User, [new DataContent(File.ReadAllBytes("cat.png"), "image/png"), new TextContent("What is in this picture?")]);
        ChatResponse response = await client.GetResponseAsync([question], new ChatOptions { Temperature = 0, MaxOutputTokens = 200 });
        Console.WriteLine($"{response.Text} ({response.Usage!.OutputTokenCount} tokens)");
        #endregion
    }

    public static async Task PackageAsync()
    {
        #region src/XComposer2.Native/README.md
        await using XComposerEngine engine = await XComposerEngine.LoadAsync(new EngineOptions
        {
            ModelPath = "./internlm-xcomposer2-vl-7b",
            Device = new DeviceOptions { Kind = DeviceKind.Auto },
            Notice = Console.Error.WriteLine,
        });
        await using ChatSession session = engine.CreateSession();
        var message = new UserMessage("What is in this picture?", [ImageInput.FromFile("cat.png")]);
        await foreach (GenerationEvent next in session.SendAsync(message, new GenerationOptions { MaxTokens = 200 }))
            if (next is TextDelta delta)
                Console.Write(delta.Text);
            else if (next is GenerationCompleted { Result: var answer })
                Console.WriteLine($" ({answer.Usage.CompletionTokens} tokens)");
        #endregion
    }

    public static async Task ComposeAsync()
    {
        #region src/XComposer2.Native.Composition/README.md
        using XComposerEngine engine = await XComposerEngine.LoadAsync(new EngineOptions { ModelPath = "./internlm-xcomposer2-7b" });
        using var composer = new ArticleComposer(engine);
        FolderImageSource gallery = await FolderImageSource.OpenAsync("pictures", new EnginePictureModel(engine));

        Article? article = null;
        await foreach (CompositionEvent next in composer.ComposeAsync(new ArticleRequest { Instruction = "Write about tea." }, new PictureSource("pictures", gallery)))
            if (next is TextWritten text)
                Console.Write(text.Text);
            else if (next is ArticleChanged changed)
                article = changed.Article;          // the article so far, also if a later step fails or is cancelled

        ArticleFolder.Create("tea", ArticleHistory.Begin(article!), ArticleOutput.Standard);
        #endregion
    }

    public static async Task SearchAsync(XComposerEngine engine, CancellationToken cancellationToken)
    {
        #region src/XComposer2.Native.Composition/Pictures/README.md
        FolderImageSource gallery = await FolderImageSource.OpenAsync("~/Pictures/park", new EnginePictureModel(engine), cancellationToken: cancellationToken);
        IReadOnlyList<ImageCandidate> found = await gallery.SearchAsync(new ImageQuery("a red circle", 4), cancellationToken);
        #endregion
        Assert(found);
    }

    public static void Launch(CudaOptions options, CubinRequest request, int rows, ReadStreamArguments arguments)
    {
        #region src/XComposer2.Native.Cuda/README.md
        CudaAvailability found = CudaAvailability.TryOpen(options, out CudaContext? context);
        if (context is null)
            throw new InvalidOperationException(found.Message);     // names what is missing and how to install it

        var cache = new CubinCache(KernelLoader.Source, () => Nvrtc.Load(options.CompilerLibrary, context.Driver.Version), new CubinCacheOptions { Notice = Console.Error.WriteLine });
        Cubin cubin = cache.Get(request);
        using CudaLibrary library = CudaLibrary.Load(context, cubin.Name, cubin.Image.Span);
        CudaKernel kernel = library.GetKernel("read_stream");
        using CudaStream stream = CudaStream.Create(context);
        using StreamCapture capture = stream.BeginCapture();
        kernel.Launch(stream, new LaunchGeometry(Grid: rows, Block: 256), arguments);
        using CudaGraph graph = capture.End();
        using CudaGraphExecutable step = graph.Instantiate();
        step.Launch(stream);
        #endregion
    }

    private static void Assert(IReadOnlyList<ImageCandidate> found) => ArgumentNullException.ThrowIfNull(found);
}
