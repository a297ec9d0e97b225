using System.Globalization;

namespace XComposer2.Native.Training;

/// <summary>
/// Samples of several files: conversations, or <c>.txt</c> files of lines <c>PATH NUMBER</c>. The number is a share of the file's samples, or thousands of samples; samples are drawn
/// in an order that the seed decides, and repeated where the file has fewer. Or it is the weight of the file in every step (<see cref="ReadGroups"/>).
/// </summary>
public static class SampleSources
{
    private const int Thousand = 1000;

    /// <param name="paths">At least one.</param>
    /// <param name="areThousands">Numbers are thousands of samples.</param>
    /// <param name="seed">Of what is drawn.</param>
    /// <exception cref="TrainingDataException">A file is unreadable, or a line of a list is not a path and a number above 0.</exception>
    public static IReadOnlyList<TrainingSample> Read(IReadOnlyList<string> paths, bool areThousands = false, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(paths);
        List<TrainingSample> samples = [];
        foreach (string path in paths)
        {
            if (!IsList(path))
                samples.AddRange(ConversationFile.Read(path));
            else
                foreach ((string file, double number) in List(path))
                    samples.AddRange(Draw(ConversationFile.Read(file), number, areThousands, seed));
        }

        return samples;
    }

    /// <summary>The files one by one, each with its number as its weight; a file of conversations that is in no list has a weight of 1.</summary>
    /// <param name="paths">At least one.</param>
    /// <exception cref="TrainingDataException">As <see cref="Read"/>, or a file has no samples.</exception>
    public static IReadOnlyList<SampleGroup> ReadGroups(IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return [.. paths.SelectMany(path => IsList(path) ? List(path) : [(path, 1)]).Select(file => Group(file.File, file.Number))];
    }

    private static SampleGroup Group(string file, double weight) => ConversationFile.Read(file) is { Count: > 0 } samples
        ? new SampleGroup(samples, weight)
        : throw new TrainingDataException($"{file}: expected samples to learn from, found none");

    private static bool IsList(string path) => path.EndsWith(".txt", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<TrainingSample> Draw(IReadOnlyList<TrainingSample> samples, double number, bool areThousands, int seed)
    {
        long count = (long)Math.Round(areThousands ? number * Thousand : number * samples.Count);
        var order = new SampleOrder(Math.Max(1, samples.Count), seed);
        for (long i = 0; i < count && samples.Count > 0; i++)
            yield return samples[order.At(i)];
    }

    private static List<(string File, double Number)> List(string path)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TrainingDataException($"{path}: {error.Message}", error);
        }

        List<(string, double)> files = [];
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length == 0)
                continue;
            int space = line.LastIndexOfAny([' ', '\t']);
            if (space < 0 || !double.TryParse(line.AsSpan(space + 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) || number <= 0)
                throw new TrainingDataException($"{path}, line {i + 1}: expected a path and a number above 0, found '{line}'");
            files.Add((Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, line[..space].TrimEnd()), number));
        }

        return files;
    }
}
