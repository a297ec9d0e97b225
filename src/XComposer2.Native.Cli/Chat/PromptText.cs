using System.Text;
using System.Text.Unicode;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>The prompt of a single answer.</summary>
internal static class PromptText
{
    /// <summary>Marks the place of a picture.</summary>
    public const string ImagePlaceholder = "<ImageHere>";

    private const int MaximumCharacters = 1 << 20;

    /// <summary>All of standard input, without the line end that a shell adds.</summary>
    /// <exception cref="PromptException">It is longer than any context, or not UTF-8.</exception>
    public static Task<string> ReadAsync(TextReader input, CancellationToken cancellationToken) =>
        Task.Run(() => Read(input), CancellationToken.None).WaitAsync(cancellationToken);

    /// <summary>Whether the bytes of an argument are not UTF-8; the runtime replaces them silently.</summary>
    public static bool IsDamaged(string argument) => RawArguments.Find(argument) is { } raw && !Utf8.IsValid(raw);

    /// <exception cref="PromptException">There is nothing to answer, or pictures and their places differ in number.</exception>
    public static void Check(string text, int images)
    {
        if (string.IsNullOrWhiteSpace(text) && images == 0)
            throw new PromptException("the prompt is empty");
        int places = text.AsSpan().Count(ImagePlaceholder);
        if (places > 0 && places != images)
            throw new PromptException($"the prompt has {Count(places, "place")} for a picture ({ImagePlaceholder}), and there {(images == 1 ? "is" : "are")} {Count(images, "picture")}");
    }

    private static string Count(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";

    private static string Read(TextReader input)
    {
        StringBuilder text = new();
        char[] buffer = new char[4096];
        try
        {
            for (int read; (read = input.Read(buffer)) > 0;)
            {
                text.Append(buffer.AsSpan(0, read));
                if (text.Length > MaximumCharacters)
                    throw new PromptException($"the prompt on standard input is longer than {MaximumCharacters} characters");
            }
        }
        catch (DecoderFallbackException)
        {
            throw new PromptException("the prompt on standard input is not UTF-8");
        }

        string all = text.ToString();
        return all.EndsWith("\r\n", StringComparison.Ordinal) ? all[..^2] : all.EndsWith('\n') ? all[..^1] : all;
    }
}
