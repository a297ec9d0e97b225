using System.Runtime.CompilerServices;
using System.Text;

namespace XComposer2.Native.Batch;

/// <summary>File names of pictures.</summary>
internal static class PictureNames
{
    private static readonly HashSet<string> endings = new(StringComparer.OrdinalIgnoreCase) { "png", "jpg", "jpeg", "jpe", "webp", "gif", "bmp", "tif", "tiff" };

    /// <param name="ending">Without its dot.</param>
    public static bool IsPicture(string ending) => endings.Contains(ending);

    public static bool HasPictureName(string path) => Path.GetExtension(path) is { Length: > 1 } extension && IsPicture(extension[1..]);
}

/// <summary>All pictures (at least one) of a folder and of the folders below it, sorted by the bytes of their paths. Links to folders are not followed; hidden files and folders are
/// left out.</summary>
/// <param name="name">The folder.</param>
internal sealed class FolderInput(string name) : IBatchInput
{
    private List<InputRow>? rows;

    public string Name => name;

    public long? Count(CancellationToken cancellation) => Rows(cancellation).Count;

    public IAsyncEnumerable<InputRow> ReadAsync(CancellationToken cancellation) => SampleList.ToAsync(Rows(cancellation), cancellation);

    private List<InputRow> Rows(CancellationToken cancellation)
    {
        if (rows is not null)
            return rows;
        List<InputRow> found = [];
        Walk("", found, cancellation);
        if (found.Count == 0)
            throw new BatchException($"{name}: no pictures: PNG, JPEG, WebP, GIF, BMP or TIFF expected");
        found.Sort(static (left, right) => string.CompareOrdinal(left.Id, right.Id));
        return rows = found;
    }

    private void Walk(string below, List<InputRow> found, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            foreach (FileSystemInfo entry in new DirectoryInfo(Path.Combine(name, below)).EnumerateFileSystemInfos())
            {
                string id = below.Length == 0 ? entry.Name : $"{below}/{entry.Name}";
                if (entry.Name.StartsWith('.'))
                    continue;
                if (entry is DirectoryInfo folder)
                {
                    if (folder.LinkTarget is null)
                        Walk(id, found, cancellation);
                }
                else if (PictureNames.HasPictureName(entry.Name))
                {
                    found.Add(PictureFileRow.Of(id, Path.Combine(name, id)));
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (below.Length == 0)
                throw new BatchException($"{name}: cannot be read: {error.Message}", error);
            found.Add(InputRow.Unreadable(below, Path.Combine(name, below), $"cannot be read: {error.Message}"));
        }
    }
}

/// <summary>Pictures that a text file names, one a line; relative to the file. Empty lines are passed over.</summary>
/// <param name="name">The file.</param>
internal sealed class ListInput(string name) : IBatchInput
{
    private const int LongestLineBytes = 64 << 10;

    private static readonly UTF8Encoding strict = new(false, throwOnInvalidBytes: true);

    public string Name => name;

    public long? Count(CancellationToken cancellation) => InputFile.CountLines(name, LongestLineBytes, cancellation);

    public async IAsyncEnumerable<InputRow> ReadAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        string folder = InputFile.FolderOf(name);
        using FileStream file = InputFile.Open(name);
        foreach (ByteLine line in InputFile.Lines(name, file, LongestLineBytes, cancellation))
            yield return Row(line, folder);
    }

    private InputRow Row(in ByteLine line, string folder)
    {
        string place = $"{name}, line {line.Number}";
        if (line.IsTooLong)
            return InputRow.Unreadable($"line {line.Number}", place, $"expected a path, found more than {LongestLineBytes} bytes");
        try
        {
            string path = strict.GetString(line.Bytes.Span).Trim();
            return path.Contains('\0') ? InputRow.Unreadable($"line {line.Number}", place, "expected a path, found a zero character") : PictureFileRow.Of(path, Path.Combine(folder, path));
        }
        catch (DecoderFallbackException)
        {
            return InputRow.Unreadable($"line {line.Number}", place, "expected a path in UTF-8");
        }
    }
}

/// <summary>Rows of picture files.</summary>
internal static class PictureFileRow
{
    public static InputRow Of(string id, string path) => new()
    {
        Id = id,
        Place = path,
        Pictures = [RowPicture.File(path)],
        Fields = new Dictionary<string, string>(StringComparer.Ordinal) { ["id"] = id, ["name"] = Path.GetFileNameWithoutExtension(id), ["folder"] = Path.GetDirectoryName(id)?.Replace('\\', '/') ?? "" },
    };
}
