using XComposer2.Native.Composition;
using XComposer2.Native.Composition.Pictures;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>An encoded picture in memory.</summary>
/// <param name="Name">Name given by the user.</param>
/// <param name="Bytes">The file.</param>
internal sealed record PictureInput(string Name, ReadOnlyMemory<byte> Bytes);

/// <summary>
/// Reads the pictures of <c>--image</c> and <c>/image</c>: files, pipes, standard input (<c>-</c>), <c>file://</c> and <c>https://</c> URLs.
/// Called before the model is loaded, so that errors are reported early.
/// </summary>
internal sealed class PictureReader(CliConsole console, bool allowPrivateAddresses)
{
    private const string StandardInput = "-";

    /// <summary>Whether standard input is one of the pictures and cannot be the prompt.</summary>
    public static bool UsesStandardInput(IEnumerable<string> names) => names.Contains(StandardInput);

    /// <inheritdoc cref="ReadAsync"/>
    public Task<List<PictureInput>> ReadAllAsync(IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        if (names.Count(name => name == StandardInput) > 1)
            throw new UsageException("--image - may be given once: standard input holds one picture");
        // Without an asynchronous method where all are files: each is several methods more to compile at every start.
        return names.Any(IsStream) ? ReadOneByOneAsync(names, cancellationToken) : Task.FromResult(names.Select(name => ReadFile(name, cancellationToken)).ToList());
    }

    /// <param name="name">Name as typed or pasted.</param>
    /// <param name="cancellationToken">Cancels waiting for a pipe or a download.</param>
    /// <exception cref="ImageException">The file is unreadable or not a picture.</exception>
    public async Task<PictureInput> ReadAsync(string name, CancellationToken cancellationToken) => IsStream(name)
        ? Checked(name == StandardInput ? "standard input" : name, await StreamedBytesAsync(name, cancellationToken).ConfigureAwait(false))
        : await Task.Run(() => ReadFile(name, cancellationToken), cancellationToken).ConfigureAwait(false);

    private static bool IsStream(string name) =>
        name == StandardInput || name.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || name.StartsWith("http://", StringComparison.OrdinalIgnoreCase);

    private static PictureInput ReadFile(string name, CancellationToken cancellationToken) => Checked(name, PictureFile.Read(name, cancellationToken));

    private static PictureInput Checked(string shown, byte[] bytes)
    {
        _ = ImageHeader.Read(bytes, shown);
        return new PictureInput(shown, bytes);
    }

    private async Task<List<PictureInput>> ReadOneByOneAsync(IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        List<PictureInput> pictures = [];
        foreach (string name in names)
            pictures.Add(await ReadAsync(name, cancellationToken).ConfigureAwait(false));
        return pictures;
    }

    private async Task<byte[]> StreamedBytesAsync(string name, CancellationToken cancellationToken)
    {
        if (name == StandardInput)
        {
            if (console.InputIsTerminal || console.BinaryIn is not { } open)
                throw new UsageException("--image - reads a picture from standard input, which is a terminal");
            return await Task.Run(() => ImageFile.Read(open(), "standard input", ImageLimits.Default), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        try
        {
            Task<byte[]> download = PictureDownload.FetchAsync(name, new PictureDownloadOptions { AllowPrivateAddresses = allowPrivateAddresses }, cancellationToken);
            return await console.WaitAsync("downloading the picture", download).ConfigureAwait(false);
        }
        catch (ImageSourceException error)
        {
            throw new ImageException($"{name}: cannot be downloaded: {error.Message}", error);
        }
    }
}

/// <summary>Interprets the path of a picture as typed by a user.</summary>
internal static class PictureFile
{
    private const string FileScheme = "file://";

    /// <summary>Reads a file or pipe.</summary>
    /// <exception cref="ImageException">The file is missing, a folder, too large or unreadable.</exception>
    public static byte[] Read(string name, CancellationToken cancellationToken)
    {
        if (name.Length == 0)
            throw new UsageException("the name of a picture is empty");
        string path = Candidates(name).FirstOrDefault(candidate => Path.Exists(candidate)) ?? name;
        if (Directory.Exists(path))
            throw new ImageException($"{name}: is a folder, not a picture");
        if (OperatingSystem.IsWindows())
            return Path.Exists(path) ? ImageFile.Read(path, ImageLimits.Default) : throw new ImageException($"{name}: no such file");
        byte[] raw = !Path.Exists(path) && RawArguments.Find(name) is { } given ? given : System.Text.Encoding.UTF8.GetBytes(path);
        return UnixFile.Read(raw, name, ImageLimits.Default, cancellationToken);
    }

    /// <summary>Removes quotes, as a shell does.</summary>
    public static string Unquote(string typed)
    {
        string path = typed.Trim();
        return path.Length >= 2 && path[0] is '"' or '\'' && path[^1] == path[0] ? path[1..^1] : path;
    }

    /// <summary>Interpretations of a name, the most literal first: the name itself, a file URL, a path in the home folder, and a path with
    /// backslash escapes, which terminals insert when a file is dropped on them.</summary>
    private static IEnumerable<string> Candidates(string name)
    {
        yield return name;
        if (name.StartsWith(FileScheme, StringComparison.OrdinalIgnoreCase))
        {
            if (!Uri.TryCreate(name, UriKind.Absolute, out Uri? address) || address.Host is not ("" or "localhost"))
                throw new ImageException($"{name}: file:///PATH was expected, on this machine");
            yield return Uri.UnescapeDataString(address.AbsolutePath);
            yield break;
        }

        foreach (string plain in new[] { name, Unescape(name) })
        {
            yield return plain;
            if (plain == "~" || plain.StartsWith("~/", StringComparison.Ordinal))
                yield return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), plain.Length > 2 ? plain[2..] : "");
        }
    }

    private static string Unescape(string name)
    {
        if (OperatingSystem.IsWindows() || !name.Contains('\\'))
            return name;
        System.Text.StringBuilder plain = new();
        for (int index = 0; index < name.Length; index++)
        {
            if (name[index] == '\\' && index + 1 < name.Length)
                index++;
            plain.Append(name[index]);
        }

        return plain.ToString();
    }
}

/// <summary>Pictures for articles, decoded before the model is loaded.</summary>
internal static class OwnPictures
{
    /// <exception cref="ImageException">The file is damaged or not a picture.</exception>
    public static async Task<List<ArticlePicture>> ReadAsync(PictureReader reader, IReadOnlyList<string> names, ExifOrientation orientation, PictureOptions options, CancellationToken cancellationToken)
    {
        List<PictureInput> pictures = await reader.ReadAllAsync(names, cancellationToken).ConfigureAwait(false);
        return [.. pictures.Select(picture => ArticlePicture.Own(picture.Name, picture.Bytes, orientation, options))];
    }
}
