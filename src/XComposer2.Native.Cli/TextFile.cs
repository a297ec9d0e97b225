using System.Text;

namespace XComposer2.Native.Cli;

/// <summary>A user's text file for a prompt.</summary>
internal static class TextFile
{
    private const int MaximumBytes = 1 << 20;

    private static readonly UTF8Encoding strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="IOException">The file does not exist, is too long or not UTF-8.</exception>
    public static string Read(string path)
    {
        if (Directory.Exists(path))
            throw new IOException($"{path}: is a folder, not a text");
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path}: no such file");
        byte[] bytes = ReadBounded(path);
        try
        {
            string text = strict.GetString(bytes);
            return text.StartsWith('\uFEFF') ? text[1..] : text;
        }
        catch (DecoderFallbackException)
        {
            throw new IOException($"{path}: not a text in UTF-8");
        }
    }

    /// <summary>Also reads pipes, whose length is unknown in advance.</summary>
    private static byte[] ReadBounded(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read);
        byte[] buffer = new byte[MaximumBytes + 1];
        int length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return length <= MaximumBytes ? buffer[..length] : throw new IOException($"{path}: the text is longer than {MaximumBytes} bytes");
    }
}
