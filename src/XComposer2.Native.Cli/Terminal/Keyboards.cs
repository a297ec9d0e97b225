using System.Runtime.InteropServices;

namespace XComposer2.Native.Cli;

/// <summary>
/// The keyboard of a Unix terminal in raw mode. Console.ReadKey restores echo and line buffering between two keys, so that pasted text appears twice, and does
/// not know bracketed paste.
/// </summary>
internal sealed unsafe partial class UnixKeyboard : IKeySource, IByteSource
{
    private const int Descriptor = 0;
    private const int Interrupted = 4;
    private const int AfterOutput = 1;
    private const short PollReadable = 1;

    // Larger than struct termios of any system.
    private const int SettingsBytes = 256;

    private readonly byte[] buffer = new byte[4096];
    private readonly byte[] saved = new byte[SettingsBytes];
    private readonly KeyDecoder decoder;
    private readonly Lock guard = new();
    private (int Next, int End) unread;
    private bool isRaw;

    public UnixKeyboard() => decoder = new KeyDecoder(this);

    public void Begin()
    {
        lock (guard)
        {
            if (isRaw)
                return;
            byte[] raw = new byte[SettingsBytes];
            fixed (byte* settings = saved, changed = raw)
            {
                if (GetSettings(Descriptor, settings) != 0)
                    return;
                saved.CopyTo(raw, 0);
                MakeRaw(changed);
                // Output stays processed, so that other threads may write plain line ends. The second field; its type is long on macOS.
                int field = OperatingSystem.IsMacOS() ? 8 : 4;
                saved.AsSpan(field, field).CopyTo(raw.AsSpan(field));
                _ = SetSettings(Descriptor, AfterOutput, changed);
            }

            isRaw = true;
        }
    }

    public void End()
    {
        lock (guard)
        {
            if (!isRaw)
                return;
            fixed (byte* settings = saved)
                _ = SetSettings(Descriptor, AfterOutput, settings);
            isRaw = false;
        }
    }

    public Key Read() => decoder.Read();

    public bool IsWaiting(TimeSpan time)
    {
        if (unread.Next < unread.End)
            return true;
        PollRequest request = new() { Descriptor = Descriptor, Wanted = PollReadable };
        return Poll(&request, 1, (int)time.TotalMilliseconds) > 0;
    }

    public void Suspend()
    {
        End();
        // The whole process group, as the terminal does.
        _ = Kill(0, OperatingSystem.IsMacOS() ? 18 : 20);
        Begin();
    }

    int IByteSource.Read()
    {
        if (unread.Next == unread.End)
        {
            nint count;
            do
            {
                fixed (byte* target = buffer)
                    count = ReadBytes(Descriptor, target, (nuint)buffer.Length);
            }
            while (count < 0 && Marshal.GetLastPInvokeError() == Interrupted);
            if (count <= 0)
                return -1;
            unread = (0, (int)count);
        }

        return buffer[unread.Next++];
    }

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int GetSettings(int descriptor, byte* settings);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int SetSettings(int descriptor, int when, byte* settings);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    private static partial void MakeRaw(byte* settings);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadBytes(int descriptor, byte* target, nuint count);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(PollRequest* requests, nuint count, int timeout);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    private struct PollRequest
    {
        public int Descriptor;
        public short Wanted;
        public short Returned;
    }
}

/// <summary>The keyboard of a Windows console. Pasted lines are recognised because they are waiting already.</summary>
internal sealed class WindowsKeyboard : IKeySource
{
    private char highSurrogate;

    public void Begin() => Console.TreatControlCAsInput = true;

    public void End() => Console.TreatControlCAsInput = false;

    public bool IsWaiting(TimeSpan time) => Console.KeyAvailable || SpinWait.SpinUntil(() => Console.KeyAvailable, time);

    public void Suspend()
    {
    }

    public Key Read() => Of(Console.ReadKey(intercept: true));

    private Key Of(ConsoleKeyInfo pressed)
    {
        bool isWord = (pressed.Modifiers & (ConsoleModifiers.Control | ConsoleModifiers.Alt)) != 0;
        switch (pressed.Key)
        {
            case ConsoleKey.Enter: return new Key(pressed.Modifiers == 0 || pressed.KeyChar == '\n' ? KeyKind.Enter : KeyKind.NewLine);
            case ConsoleKey.Backspace: return new Key(isWord ? KeyKind.DeleteWordLeft : KeyKind.Backspace);
            case ConsoleKey.Delete: return new Key(isWord ? KeyKind.DeleteWordRight : KeyKind.Delete);
            case ConsoleKey.LeftArrow: return new Key(isWord ? KeyKind.WordLeft : KeyKind.Left);
            case ConsoleKey.RightArrow: return new Key(isWord ? KeyKind.WordRight : KeyKind.Right);
            case ConsoleKey.UpArrow: return new Key(KeyKind.Up);
            case ConsoleKey.DownArrow: return new Key(KeyKind.Down);
            case ConsoleKey.Home: return new Key(KeyKind.Home);
            case ConsoleKey.End: return new Key(KeyKind.End);
            case ConsoleKey.Tab: return new Key(KeyKind.Tab);
            case ConsoleKey.Escape: return new Key(KeyKind.Cancel);
        }

        char typed = pressed.KeyChar;
        if (char.IsHighSurrogate(typed))
            highSurrogate = typed;
        if (char.IsLowSurrogate(typed))
            return new Key(KeyKind.Text, $"{highSurrogate}{typed}");
        return typed switch
        {
            '\x01' => new Key(KeyKind.Home),
            '\x03' => new Key(KeyKind.Interrupt),
            '\x04' or '\x1A' => new Key(KeyKind.EndOfInput),
            '\x05' => new Key(KeyKind.End),
            '\x0B' => new Key(KeyKind.DeleteToEnd),
            '\x0C' => new Key(KeyKind.ClearScreen),
            '\x12' => new Key(KeyKind.Search),
            '\x15' => new Key(KeyKind.DeleteToStart),
            '\x17' => new Key(KeyKind.DeleteWordLeft),
            _ when char.IsControl(typed) || char.IsSurrogate(typed) => new Key(KeyKind.Unknown),
            _ => new Key(KeyKind.Text, typed.ToString()),
        };
    }
}
