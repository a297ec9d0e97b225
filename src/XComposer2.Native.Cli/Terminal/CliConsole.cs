using System.Text;
using Spectre.Console;

namespace XComposer2.Native.Cli;

/// <summary>The three standard streams. Answers and JSON go to <see cref="Out"/>, everything else to <see cref="Error"/>.</summary>
internal sealed class CliConsole
{
    private const int ReportWidth = 80;
    private const int ReportHeight = 24;
    private const int MinimumWidth = 40;
    private const string ContinuationPrompt = "... ";
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Lazy<IAnsiConsole> richError;
    private readonly Lazy<TextReader> input;

    public CliConsole(TextReader input, TextWriter output, TextWriter error)
        : this(new Lazy<TextReader>(input), output, error)
    {
    }

    private CliConsole(Lazy<TextReader> input, TextWriter output, TextWriter error)
    {
        this.input = input;
        Out = output;
        Error = error;
        richError = new Lazy<IAnsiConsole>(() => Rich(Error, ErrorIsTerminal));
    }

    /// <summary>Standard input as text. Reading throws a <see cref="DecoderFallbackException"/> if it is not UTF-8.</summary>
    public TextReader In => input.Value;

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>Opens standard input for binary reading, before <see cref="In"/> is used; null at a terminal.</summary>
    public Func<Stream>? BinaryIn { get; init; }

    public bool InputIsTerminal { get; init; }

    public bool OutputIsTerminal { get; init; }

    public bool ErrorIsTerminal { get; init; }

    /// <summary>Whether the terminal supports control sequences.</summary>
    public bool Decorates { get; init; } = true;

    /// <summary>Whether to use colours on a terminal.</summary>
    public bool Color { get; init; }

    /// <summary>Reads lines with editing keys; null reads plain lines.</summary>
    public LineEditor? Editor { get; init; }

    /// <summary>Standard error with live progress and prompts.</summary>
    public IAnsiConsole RichError => richError.Value;

    /// <summary>The streams of this process.</summary>
    public static CliConsole Open()
    {
        bool decorates = Environment.GetEnvironmentVariable("TERM") is not "dumb";
        bool errorIsTerminal = !Console.IsErrorRedirected;
        StreamWriter error = new(Console.OpenStandardError(), Utf8) { AutoFlush = true };
        return new CliConsole(
            new Lazy<TextReader>(static () => StandardInput.IsMissing ? TextReader.Null : Console.IsInputRedirected ? new StreamReader(Console.OpenStandardInput(), StrictUtf8) : Console.In),
            new StreamWriter(OperatingSystem.IsWindows() ? Console.OpenStandardOutput() : new StandardOutputStream(), Utf8),
            error)
        {
            BinaryIn = StandardInput.IsMissing ? static () => Stream.Null : Console.IsInputRedirected ? Console.OpenStandardInput : null,
            InputIsTerminal = !Console.IsInputRedirected,
            OutputIsTerminal = !Console.IsOutputRedirected,
            ErrorIsTerminal = errorIsTerminal,
            Decorates = decorates,
            Editor = decorates && errorIsTerminal && !Console.IsInputRedirected ? new LineEditor(error, Keyboard(), static () => (TerminalWidth(), TerminalHeight())) : null,
            Color = decorates && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
        };
    }

    /// <summary>Writes a line for an interactive user; omitted if standard error is not a terminal.</summary>
    public void Note(string text)
    {
        if (ErrorIsTerminal)
            Error.WriteLine(Dim(TerminalText.OneLine(text)));
    }

    /// <summary>Writes an error as one line.</summary>
    public void Complain(string message) => Hint($"xc2: {TerminalText.OneLine(message)}");

    /// <summary>Writes one or more lines to standard error.</summary>
    public void Hint(string text)
    {
        try
        {
            Error.WriteLine(TerminalText.Lines(text));
        }
        catch (IOException)
        {
            // Standard error is closed; only the exit code remains.
        }
    }

    /// <summary>Writes a part of an answer and flushes.</summary>
    public void Say(string text)
    {
        Out.Write(OutputIsTerminal ? TerminalText.Clean(text) : text);
        Out.Flush();
    }

    /// <summary>Standard output with colours and tables.</summary>
    public IAnsiConsole RichOut() => Rich(Out, OutputIsTerminal);

    /// <summary>Prompts for a text of one or more lines (<see cref="MessageSyntax"/>).</summary>
    /// <exception cref="OperationCanceledException">Cancelled; typed text is lost.</exception>
    public async Task<TypedLine> ReadLineAsync(string prompt, CancellationToken cancellationToken) =>
        await Task.Run(() => ReadLine(prompt), CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Waits for work. If it takes longer, a terminal shows its name and duration.</summary>
    public Task<T> WaitAsync<T>(string what, Task<T> work) => WaitAsync(() => what, work);

    /// <param name="what">Returns the current activity.</param>
    /// <param name="work">The work to wait for.</param>
    /// <inheritdoc cref="WaitAsync{T}(string, Task{T})"/>
    public Task<T> WaitAsync<T>(Func<string> what, Task<T> work)
    {
        ArgumentNullException.ThrowIfNull(what);
        ArgumentNullException.ThrowIfNull(work);
        return !ErrorIsTerminal || !Decorates || work.IsCompleted ? work : ShowAsync(what, work);
    }

    private async Task<T> ShowAsync<T>(Func<string> what, Task<T> work)
    {
        if (await Task.WhenAny(work, Task.Delay(400)).ConfigureAwait(false) == work)
            return await work.ConfigureAwait(false);
        long start = Environment.TickCount64;
        return await RichError.Status().StartAsync(Markup.Escape(what()), async status =>
        {
            while (await Task.WhenAny(work, Task.Delay(250)).ConfigureAwait(false) != work)
                status.Status(Markup.Escape($"{what()} ({(Environment.TickCount64 - start) / 1000} s)"));
            return await work.ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    /// <summary>Dimmed text for standard error.</summary>
    public string Dim(string text) => Color && ErrorIsTerminal ? $"\e[2m{text}\e[0m" : text;

    private TypedLine ReadLine(string prompt)
    {
        if (Editor is not null)
            return Editor.Read(prompt);
        Error.Write(prompt);
        if (In.ReadLine() is not { } text)
            return new TypedLine(LineEnd.EndOfInput);
        while (MessageSyntax.Continues(text))
        {
            Error.Write(ContinuationPrompt);
            if (In.ReadLine() is not { } next)
                break;
            text = $"{MessageSyntax.WithoutContinuation(text)}\n{next}";
        }

        return new TypedLine(LineEnd.Entered, text);
    }

    private static IKeySource Keyboard() => OperatingSystem.IsWindows() ? new WindowsKeyboard() : new UnixKeyboard();

    private IAnsiConsole Rich(TextWriter writer, bool isTerminal)
    {
        bool isRich = isTerminal && Decorates;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isRich ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = isRich && Color ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = isRich ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        // A pipe has no width: lines are not wrapped there, so that text search works.
        console.Profile.Width = isTerminal ? Math.Max(MinimumWidth, TerminalWidth()) : 100 * ReportWidth;
        return console;
    }

    private static int TerminalHeight()
    {
        try
        {
            return Console.WindowHeight > 0 ? Console.WindowHeight : ReportHeight;
        }
        catch (IOException)
        {
            return ReportHeight;
        }
    }

    private static int TerminalWidth()
    {
        try
        {
            return Console.WindowWidth > 0 ? Console.WindowWidth : ReportWidth;
        }
        catch (IOException)
        {
            return ReportWidth;
        }
    }
}

/// <summary>
/// Sanitises text from files and models: it cannot move the cursor, ring the bell or recolour the terminal, and a name cannot change the direction of
/// the text around it.
/// </summary>
internal static class TerminalText
{
    /// <summary>For answers: replaces control characters by U+FFFD, except line breaks and tabs.</summary>
    public static string Clean(string text) => Replace(text, static c => char.IsControl(c) && c is not ('\n' or '\t'));

    /// <summary>For messages of several lines, such as stack traces: like <see cref="Clean"/>, and without bidirectional formatting characters.</summary>
    public static string Lines(string text) => Replace(text.ReplaceLineEndings("\n"), static c => (char.IsControl(c) && c is not ('\n' or '\t')) || IsDirectional(c));

    /// <summary>Like <see cref="Lines"/>, on one line.</summary>
    public static string OneLine(string text) => Replace(text.ReplaceLineEndings(" "), static c => (char.IsControl(c) && c != '\t') || IsDirectional(c));

    /// <summary>Marks, embeddings, overrides and isolates of the bidirectional algorithm.</summary>
    private static bool IsDirectional(char c) => c is '\u061C' or '\u200E' or '\u200F' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    private static string Replace(string text, Func<char, bool> isReplaced)
    {
        if (!text.Any(isReplaced))
            return text;
        StringBuilder clean = new(text.Length);
        foreach (char c in text)
            clean.Append(isReplaced(c) ? '\uFFFD' : c);
        return clean.ToString();
    }
}
