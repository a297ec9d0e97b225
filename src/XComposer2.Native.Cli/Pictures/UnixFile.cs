using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>
/// Reads files by the raw bytes of their names, which need not be UTF-8; the base library does not support this. Pipes are read without waiting
/// indefinitely for a writer.
/// </summary>
internal static partial class UnixFile
{
    private const int FirstBytes = 64 << 10;
    private const int NoSuchFile = 2;
    private const int Interrupted = 4;
    private const int IsFolder = 21;
    private const int CurrentPosition = 1;
    private static readonly TimeSpan PipeWait = TimeSpan.FromSeconds(3);

    /// <param name="path">Without a terminating zero.</param>
    /// <param name="name">Name of the file in messages.</param>
    /// <param name="limits">Maximum file size.</param>
    /// <param name="cancellationToken">Cancels waiting for a pipe.</param>
    /// <exception cref="ImageException">The file is unreadable, empty or too large.</exception>
    public static byte[] Read(byte[] path, string name, ImageLimits limits, CancellationToken cancellationToken)
    {
        using SafeFileHandle handle = Open(path, name);
        int descriptor = (int)handle.DangerousGetHandle();
        bool isPipe = Seek(descriptor, 0, CurrentPosition) < 0;
        long start = Stopwatch.GetTimestamp();
        byte[] buffer = new byte[FirstBytes];
        int length = 0;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int read = ReadSome(descriptor, buffer.AsSpan(length), name);
            if (read > 0)
            {
                length += read;
                if (length > limits.MaxFileBytes)
                    throw new ImageException($"{name}: has more than {limits.MaxFileBytes} bytes, the limit");
                if (length == buffer.Length)
                    Array.Resize(ref buffer, (int)Math.Min(2L * length, Array.MaxLength));
                continue;
            }

            // A pipe without a writer also reads as end of file.
            bool mayCome = read < 0 || (isPipe && length == 0 && Stopwatch.GetElapsedTime(start) < PipeWait);
            if (!mayCome)
                return length > 0 ? buffer[..length] : throw new ImageException($"{name}: {(isPipe ? $"the pipe is empty: nothing was written into it within {PipeWait.TotalSeconds:0} s" : "the file is empty")}");
            cancellationToken.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(10));
        }
    }

    private static SafeFileHandle Open(byte[] path, string name)
    {
        bool isMac = OperatingSystem.IsMacOS();
        // O_RDONLY, O_NONBLOCK, O_CLOEXEC.
        int flags = isMac ? 0x4 | 0x1000000 : 0x800 | 0x80000;
        SafeFileHandle handle = OpenFile([.. path, 0], flags);
        if (!handle.IsInvalid)
            return handle;
        int error = Marshal.GetLastPInvokeError();
        handle.Dispose();
        throw new ImageException(error == NoSuchFile ? $"{name}: no such file" : $"{name}: cannot be read: {Marshal.GetPInvokeErrorMessage(error)}");
    }

    /// <returns>-1 if no data is available yet.</returns>
    private static int ReadSome(int descriptor, Span<byte> target, string name)
    {
        while (true)
        {
            nint read = ReadFile(descriptor, target, target.Length);
            if (read >= 0)
                return (int)read;
            int error = Marshal.GetLastPInvokeError();
            if (error == Interrupted)
                continue;
            if (error is 11 or 35)
                return -1;
            throw new ImageException(error == IsFolder ? $"{name}: is a folder, not a picture" : $"{name}: cannot be read: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    private static partial SafeFileHandle OpenFile(byte[] path, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadFile(int descriptor, Span<byte> target, nint count);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(int descriptor, long offset, int origin);
}

/// <summary>Raw command line arguments, for names that are not UTF-8.</summary>
internal static class RawArguments
{
    private const char Replacement = '\uFFFD';

    /// <summary>Raw bytes of <paramref name="argument"/>; null if it is valid UTF-8 or not found.</summary>
    public static byte[]? Find(string argument) =>
        argument.Contains(Replacement) && File.Exists("/proc/self/cmdline") ? Find(argument, File.ReadAllBytes("/proc/self/cmdline")) : null;

    /// <param name="argument">Argument as decoded by the runtime.</param>
    /// <param name="commandLine">Zero-terminated arguments.</param>
    internal static byte[]? Find(string argument, byte[] commandLine)
    {
        string wanted = Collapse(argument);
        foreach (Range part in commandLine.AsSpan().Split((byte)0))
        {
            ReadOnlySpan<byte> raw = commandLine.AsSpan(part);
            if (Collapse(Encoding.UTF8.GetString(raw)) == wanted)
                return raw.ToArray();
            // --image=NAME
            int equals = raw.IndexOf((byte)'=');
            if (raw.StartsWith("--"u8) && equals > 0 && Collapse(Encoding.UTF8.GetString(raw[(equals + 1)..])) == wanted)
                return raw[(equals + 1)..].ToArray();
        }

        return null;
    }

    // Decoders emit different numbers of replacement characters.
    private static string Collapse(string text)
    {
        StringBuilder plain = new();
        foreach (char letter in text)
            if (letter != Replacement || plain.Length == 0 || plain[^1] != Replacement)
                plain.Append(letter);
        return plain.ToString();
    }
}
