using System.Runtime.InteropServices;

namespace XComposer2.Native.Composition.Storage;

/// <summary>
/// An exclusive lock of an article's folder across processes. The system releases it when the process ends, also when it is killed. It locks
/// the folder itself and creates no file; on Windows it is a file that exists while the lock is held.
/// </summary>
public sealed class ArticleLock : IDisposable
{
    private static readonly TimeSpan retryInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(30);

    private readonly IDisposable held;

    private ArticleLock(IDisposable held) => this.held = held;

    /// <summary>Waits for the lock.</summary>
    /// <param name="folder">An article's folder.</param>
    /// <param name="waiting">Called once if the lock is held by another.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArticleFileException">There is no such folder, or it cannot be locked.</exception>
    public static async Task<ArticleLock> TakeAsync(string folder, Action? waiting = null, CancellationToken cancellationToken = default)
    {
        for (bool isFirst = true; ; isFirst = false)
        {
            if (TryTake(folder) is { } taken)
                return taken;
            if (isFirst)
                waiting?.Invoke();
            await Task.Delay(retryInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the lock; null if it is held by another.</summary>
    /// <exception cref="ArticleFileException">There is no such folder, or it cannot be locked.</exception>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static ArticleLock? TryTake(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
            throw new ArticleFileException($"{folder}: no such folder");
        IDisposable? held = OperatingSystem.IsWindows() ? WindowsLock.TryTake(folder) : UnixLock.TryTake(folder);
        return held is null ? null : new ArticleLock(held);
    }

    /// <summary>Waits for the duration of a save.</summary>
    /// <exception cref="ArticleFileException">The lock was not released in time.</exception>
    internal static ArticleLock Take(string folder)
    {
        for (long start = Environment.TickCount64; Environment.TickCount64 - start < patience.TotalMilliseconds; Thread.Sleep(retryInterval))
            if (TryTake(folder) is { } taken)
                return taken;
        throw new ArticleFileException($"{folder}: another program is changing it");
    }

    /// <summary>Releases the lock.</summary>
    public void Dispose() => held.Dispose();

    private static class WindowsLock
    {
        private const string FileName = ".xc2-lock";
        private const int SharingViolation = unchecked((int)0x80070020);

        public static FileStream? TryTake(string folder)
        {
            try
            {
                return new FileStream(Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
            }
            catch (IOException busy) when (busy.HResult == SharingViolation)
            {
                return null;
            }
        }
    }
}

/// <summary>An advisory lock of a folder by flock(2).</summary>
internal sealed partial class UnixLock : IDisposable
{
    private const int LockExclusive = 2, LockNonBlocking = 4;
    private const int WouldBlock = 11, WouldBlockOfBsd = 35;
    private const int CloseOnExec = 0x80000, CloseOnExecOfBsd = 0x1000000;

    private int descriptor;

    private UnixLock(int descriptor) => this.descriptor = descriptor;

    /// <summary>Null if it is held by another. On a file system without locks it has no effect.</summary>
    public static UnixLock? TryTake(string folder)
    {
        // Opened for reading: folders cannot be opened for writing.
        int opened = Open(folder, OperatingSystem.IsLinux() ? CloseOnExec : CloseOnExecOfBsd);
        if (opened < 0)
            throw new ArticleFileException($"{folder}: cannot be locked: {Marshal.GetLastPInvokeErrorMessage()}");
        if (Lock(opened, LockExclusive | LockNonBlocking) < 0 && Marshal.GetLastPInvokeError() is WouldBlock or WouldBlockOfBsd)
        {
            _ = Close(opened);
            return null;
        }
        return new UnixLock(opened);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref descriptor, -1) is >= 0 and int opened)
            _ = Close(opened);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
