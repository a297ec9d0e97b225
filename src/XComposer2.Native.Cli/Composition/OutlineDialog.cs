using System.Globalization;
using System.Text.RegularExpressions;
using XComposer2.Native.Composition;

namespace XComposer2.Native.Cli;

/// <summary>Shows an outline by the model and lets the user confirm or change it, one line at a time.</summary>
/// <param name="console">The outline goes to standard error; replies are lines of standard input.</param>
/// <param name="composer">Writes the outline.</param>
/// <param name="title">Title of the article.</param>
/// <param name="material">Source texts.</param>
/// <param name="seed">Seed of the first outline; null draws one.</param>
internal sealed partial class OutlineDialog(CliConsole console, ArticleComposer composer, string title, IReadOnlyList<string> material, ulong? seed)
{
    private const string Replies = "Enter: write the article; N TEXT: change a point; N -: remove it; + TEXT: add one; again: another outline; stop";

    private ulong next = seed ?? (ulong)Random.Shared.Next(1, 1_000_000_000);

    /// <returns>The confirmed points; null if the user stopped or the input ended.</returns>
    public async Task<IReadOnlyList<string>?> RunAsync(CancellationToken cancellationToken)
    {
        List<string> points = await WriteAsync(cancellationToken).ConfigureAwait(false);
        Show(points);
        console.Hint(Replies);
        while (await console.ReadLineAsync("outline> ", cancellationToken).ConfigureAwait(false) is { End: LineEnd.Entered } line)
        {
            string reply = line.Text.Trim();
            if (reply.Length == 0 && points.Count > 0)
                return points;
            if (reply is "stop")
                return null;
            if (reply is "again")
                points = await WriteAsync(cancellationToken).ConfigureAwait(false);
            else if (Problem(points, reply) is { } problem)
            {
                console.Hint(problem);
                continue;
            }

            Show(points);
        }

        return null;
    }

    /// <summary>Changes a point.</summary>
    /// <returns>Null, or why the reply cannot be carried out.</returns>
    private static string? Problem(List<string> points, string reply)
    {
        if (reply.Length == 0)
            return "the outline has no points";
        if (reply.StartsWith('+'))
        {
            if (reply.Length == 1 || string.IsNullOrWhiteSpace(reply[1..]))
                return "+ needs a text";
            if (points.Count >= ArticleOutline.MaximumPoints)
                return $"an outline has at most {ArticleOutline.MaximumPoints} points";
            points.Add(reply[1..].Trim());
            return null;
        }

        if (Change().Match(reply) is not { Success: true } change)
            return Replies;
        if (!int.TryParse(change.Groups["number"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number < 1 || number > points.Count)
            return $"point: expected 1 to {points.Count}, found {change.Groups["number"].Value}";
        if (change.Groups["text"].Value == "-")
            points.RemoveAt(number - 1);
        else
            points[number - 1] = change.Groups["text"].Value;
        return null;
    }

    private async Task<List<string>> WriteAsync(CancellationToken cancellationToken) =>
        [.. await console.WaitAsync("writing an outline", composer.OutlineAsync(title, material, next++, cancellationToken)).ConfigureAwait(false)];

    private void Show(List<string> points)
    {
        foreach ((int index, string point) in points.Index())
            console.Hint(TerminalText.OneLine(string.Create(CultureInfo.InvariantCulture, $"{index + 1,3}. {point}")));
    }

    [GeneratedRegex(@"^(?<number>[0-9]{1,9})[.):]?\s+(?<text>\S.*)$")]
    private static partial Regex Change();
}
