using XComposer2.Native.Cli;
using XComposer2.Native.Composition;

namespace XComposer2.Native.UnitTests;

/// <summary>Runs <c>xc2</c> in the test process, with text streams and a scripted model.</summary>
internal sealed class CliHarness : IDisposable
{
    private readonly StringWriter error = new();

    /// <summary>The chat model; repeats the question by default.</summary>
    public ScriptedChatClient Client { get; init; } = ScriptedChatClient.Echo();

    /// <summary>The composition model; answers with the prompt's text by default.</summary>
    public ScriptedCompositionModel Composer { get; init; } = new(prompt => prompt.Text);

    /// <summary>Standard input.</summary>
    public string Input { get; init; } = "";

    /// <summary>Standard input that is more than <see cref="Input"/>.</summary>
    public TextReader? InputReader { get; init; }

    /// <summary>Keys typed at a terminal with an editor; null for plain lines of <see cref="Input"/>.</summary>
    public IKeySource? Keys { get; init; }

    /// <summary>Standard input as bytes.</summary>
    public byte[] InputBytes { get; init; } = [];

    /// <summary>Makes all three streams a terminal without colours.</summary>
    public bool IsTerminal { get; init; }

    /// <summary>Thrown instead of loading a model.</summary>
    public Exception? LoadError { get; init; }

    /// <summary>Runs while the model is loading.</summary>
    public Func<EngineOptions, Task> Loading { get; init; } = _ => Task.CompletedTask;

    public Dictionary<string, string> Variables { get; } = new() { ["XC2_MODEL"] = "model-of-variable" };

    public Interrupts Interrupts { get; } = new();

    /// <summary>Standard output; replaced to make writes fail.</summary>
    public TextWriter OutputWriter { get; init; } = new StringWriter();

    public string Output => OutputWriter.ToString()!;

    public string Error => error.ToString();

    public EngineOptions? LoadedWith { get; private set; }

    public SessionOptions? OpenedWith { get; private set; }

    public ComposerOptions? ComposedWith { get; private set; }

    public async Task<int> RunAsync(params string[] args)
    {
        CliConsole console = new(InputReader ?? new StringReader(Input), OutputWriter, error) { Editor = Keys is null ? null : new LineEditor(error, Keys, () => (80, 24)), BinaryIn = () => new MemoryStream(InputBytes), InputIsTerminal = IsTerminal, OutputIsTerminal = IsTerminal, ErrorIsTerminal = IsTerminal };
        CliServices services = new(console, Interrupts, ConnectAsync) { Variable = name => Variables.GetValueOrDefault(name), ConnectComposer = ConnectComposerAsync };
        return await CliApplication.RunAsync(args, services);
    }

    public void Dispose()
    {
        Interrupts.Dispose();
        error.Dispose();
    }

    private async Task<IChatClient> ConnectAsync(EngineOptions engine, SessionOptions session, CancellationToken cancellationToken)
    {
        (LoadedWith, OpenedWith) = (engine, session);
        Client.System ??= session.System;
        await Loading(engine);
        return LoadError is null ? Client : throw LoadError;
    }

    private Task<ComposerConnection> ConnectComposerAsync(EngineOptions engine, ComposerOptions options, CancellationToken cancellationToken)
    {
        (LoadedWith, ComposedWith) = (engine, options);
        return LoadError is null
            ? Task.FromResult(new ComposerConnection(new ArticleComposer(Composer, options), new FakePictureModel(), ScriptedChatClient.SomeInfo, null))
            : Task.FromException<ComposerConnection>(LoadError);
    }
}
