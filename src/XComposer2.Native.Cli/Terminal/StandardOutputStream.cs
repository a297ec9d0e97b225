using System.Runtime.InteropServices;

namespace XComposer2.Native.Cli;

/// <summary>
/// Standard output through write(2). The console's own stream hides a closed pipe, so that a long answer would be computed in vain; a
/// FileStream keeps its own position, which breaks <c>(xc2 ...; date) &gt; file</c>.
/// </summary>
internal sealed unsafe partial class StandardOutputStream : Stream
{
    private const int Descriptor = 1;
    private const int Interrupted = 4;
    private const int BrokenPipe = 32;
    private const short PollWritable = 4;

    // EAGAIN on Linux and on BSD systems.
    private const int TryAgain = 11;
    private const int TryAgainBsd = 35;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="ClosedPipeException">The reader has closed the pipe.</exception>
    /// <exception cref="IOException">The write failed, for example because the disk is full or the descriptor is closed.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            nint written;
            fixed (byte* bytes = buffer)
                written = WriteBytes(Descriptor, bytes, (nuint)buffer.Length);
            if (written >= 0)
                buffer = buffer[(int)written..];
            else
                WaitOrThrow(Marshal.GetLastPInvokeError());
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static void WaitOrThrow(int error)
    {
        switch (error)
        {
            case Interrupted:
                break;
            case TryAgain or TryAgainBsd:
                PollRequest request = new() { Descriptor = Descriptor, Wanted = PollWritable };
                _ = Poll(&request, 1, -1);
                break;
            case BrokenPipe:
                throw new ClosedPipeException();
            default:
                throw new IOException($"standard output: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteBytes(int descriptor, byte* bytes, nuint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollRequest* requests, nuint count, int timeout);

    private struct PollRequest
    {
        public int Descriptor;
        public short Wanted;
        public short Returned;
    }
}
