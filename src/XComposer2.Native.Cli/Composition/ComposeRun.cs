using System.Text.Json;
using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>One run of <c>xc2 compose</c>.</summary>
internal sealed class ComposeRun(CliServices services, ComposeRequest request)
{
    private const string FolderName = "article";

    private readonly CliConsole console = services.Console;

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        // All checks that need no model come before loading it.
        RequireOptions();
        if (request.Folder is { } named)
            RequireFree(named);
        ModelFolder model = ModelFolder.Choose(request.ModelPath, services.Variable, AppContext.BaseDirectory);
        string[] material = [.. request.Material.Select(TextFile.Read)];
        string outline = request.Outline is { } file && !request.AsksOutline ? TextFile.Read(file) : "";
        // A title becomes an instruction when the model is known, which may have its own wording.
        ArticleRequest article = new()
        {
            Instruction = request.Title ?? await InstructionAsync(cancellationToken).ConfigureAwait(false),
            Title = request.Title ?? "",
            OwnPictures = await OwnPictures.ReadAsync(request.Reader, request.Images, request.Orientation, request.Storage, cancellationToken).ConfigureAwait(false),
            Pictures = request.Storage,
            Figures = request.Figures,
            Seed = request.Seed,
        };
        if (request.Figures != 0)
            request.Pictures.RequirePictures(cancellationToken);

        using ArticlePlace place = request.Folder is { } folder ? ArticlePlace.Reserve(folder, request.Force) : ArticlePlace.ReserveNext(FolderName);
        using ComposerConnection connection = await ComposerLoading.LoadAsync(services, model, request.Engine, request.Composer, request.Verbose, cancellationToken).ConfigureAwait(false);
        if (request.AsksOutline)
        {
            var dialog = new OutlineDialog(console, connection.Composer, request.Title!, material, request.Seed);
            if (await dialog.RunAsync(cancellationToken).ConfigureAwait(false) is not { } points)
            {
                console.Hint("Stopped: no article was written.");
                return ExitCode.Failed;
            }
            outline = string.Join('\n', points);
        }
        if (request.Title is { } title)
            article = article with { Instruction = ArticleInstruction.Of(title, outline, material, connection.Composer.EnglishPrompt) };
        using OpenedPictureSource pictures = await OpenedPictureSource.OpenAsync(request.Figures == 0 ? PictureSourceRequest.None : request.Pictures, connection.Pictures, console, cancellationToken).ConfigureAwait(false);
        using Interrupts.SaveScope saving = services.Interrupts.BeginSaving();
        CompositionPrinter printer = new(console, isSilent: request.Json);
        try
        {
            await printer.RunAsync(connection.Composer.ComposeAsync(article, pictures.Source, cancellationToken)).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not ClosedPipeException && printer.Article is { Sections.Count: > 0 })
        {
            string kept = ArticleSaving.Save(console, ArticleHistory.Begin(printer.Article!), request.Folder ?? FolderName, place.Commit);
            console.Hint(TerminalText.OneLine($"The article so far is in {kept}."));
            throw;
        }

        var history = ArticleHistory.Begin(printer.Article!);
        string written = ArticleSaving.Save(console, history, request.Folder ?? FolderName, place.Commit);
        if (request.Json)
            console.Say(JsonSerializer.Serialize(ArticleReportJson.Of(written, history, []), CliJson.Lines.ArticleReportJson) + "\n");
        printer.Summarise(written);
        return ExitCode.Done;
    }

    private void RequireFree(string folder)
    {
        if (!request.Force && Directory.Exists(folder))
            throw new ArticleFileException($"{folder}: the folder exists already; --force replaces its article and keeps other files");
        ArticleFolder.RequireFree(folder, request.Force);
    }

    private void RequireOptions()
    {
        if (request.Instruction is null == request.Title is null)
            throw new UsageException(request.Title is null ? "no instruction: expected --instruction or --title" : "--instruction and --title exclude each other");
        if (request.Title is null && (request.Outline is not null || request.Material.Count > 0))
            throw new UsageException("--outline and --material need --title");
        if (request.Title is not null && string.IsNullOrWhiteSpace(request.Title))
            throw new UsageException("--title is empty");
        if (request.Images.Count > ArticleRequest.MaximumOwnPictures)
            throw new UsageException($"--image may be given at most {ArticleRequest.MaximumOwnPictures} times, not {request.Images.Count}");
        if (request.Instruction is "-" && PictureReader.UsesStandardInput(request.Images))
            throw new UsageException("--instruction - and --image - are both standard input");
        if (request.AsksOutline && PictureReader.UsesStandardInput(request.Images))
            throw new UsageException("--outline ask and --image - both read standard input");
        request.Pictures.Require();
        if (request.Images.Count > 0 && !request.Pictures.IsNone)
            throw new UsageException("--image excludes --gallery and --picture-service");
        if (request.Figures > 0 && request.Images.Count == 0 && request.Pictures.IsNone)
            throw new UsageException("--figures needs pictures: --gallery or --image");
    }

    private async Task<string> InstructionAsync(CancellationToken cancellationToken)
    {
        string text = request.Instruction is "-" ? await PromptText.ReadAsync(console.In, cancellationToken).ConfigureAwait(false) : request.Instruction!;
        return string.IsNullOrWhiteSpace(text) ? throw new Model.PromptException("the instruction is empty") : text;
    }
}

/// <summary>Writes an article, or keeps it elsewhere if that fails, so that generated text is not lost.</summary>
internal static class ArticleSaving
{
    /// <param name="console">Receives the text if nothing can be written.</param>
    /// <param name="history">What is written.</param>
    /// <param name="folder">Folder as given, for messages.</param>
    /// <param name="write">Writes the article and returns its folder.</param>
    /// <exception cref="ArticleFileException">The article was written elsewhere; the message names the folder.</exception>
    public static string Save(CliConsole console, ArticleHistory history, string folder, Func<ArticleHistory, IReadOnlyList<ArticleOutput>, string> write)
    {
        try
        {
            return write(history, ArticleOutput.Standard);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArticleFileException)
        {
            string why = error is ArticleFileException ? error.Message : $"{folder}: cannot be written: {error.Message}";
            if (ArticleRescue.Keep(history, ArticleOutput.Standard) is { } elsewhere)
                throw new ArticleFileException($"{why}; the article was written to {elsewhere} instead", error);
            foreach (ArticleSection section in history.Current.Sections)
                console.Hint(section.Text);
            throw new ArticleFileException($"{why}; it could not be written elsewhere either, so its text is printed above", error);
        }
    }
}

/// <summary>Options of <c>xc2 compose</c>.</summary>
internal sealed record ComposeRequest
{
    /// <summary>Value of <c>--outline</c> that is not a file.</summary>
    public const string AskWord = "ask";

    /// <summary>A checkpoint folder; null if none is given.</summary>
    public required string? ModelPath { get; init; }

    public required EngineOptions Engine { get; init; }

    public required ComposerOptions Composer { get; init; }

    /// <summary>"-" is standard input; null if a title is given.</summary>
    public string? Instruction { get; init; }

    public string? Title { get; init; }

    /// <summary>Path of a file, or <see cref="AskWord"/>.</summary>
    public string? Outline { get; init; }

    /// <summary>Whether the model writes an outline that the user confirms.</summary>
    public bool AsksOutline => Outline is AskWord;

    /// <summary>Paths of files.</summary>
    public IReadOnlyList<string> Material { get; init; } = [];

    /// <summary>Paths of files.</summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>Reads own pictures.</summary>
    public required PictureReader Reader { get; init; }

    /// <summary>Handling of the EXIF orientation.</summary>
    public Model.ExifOrientation Orientation { get; init; }

    public required PictureSourceRequest Pictures { get; init; }

    /// <summary>How pictures are stored.</summary>
    public PictureOptions Storage { get; init; } = PictureOptions.Default;

    /// <summary>Null leaves the number to the model.</summary>
    public int? Figures { get; init; }

    public ulong? Seed { get; init; }

    /// <summary>Null takes the next free name.</summary>
    public string? Folder { get; init; }

    public bool Force { get; init; }

    public bool Json { get; init; }

    public bool Verbose { get; init; }
}
