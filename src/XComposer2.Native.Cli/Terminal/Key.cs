using System.Buffers;
using System.Globalization;
using System.Text;

namespace XComposer2.Native.Cli;

/// <summary>What a key press means to the editor.</summary>
internal enum KeyKind
{
    /// <summary>A key without a meaning.</summary>
    Unknown,

    /// <summary>One typed character.</summary>
    Text,

    /// <summary>Pasted text, possibly of several lines.</summary>
    Paste,

    Enter,

    /// <summary>A line break within the text: Alt-Enter, or Shift-Enter where the terminal reports it.</summary>
    NewLine,

    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    WordLeft,
    WordRight,
    DeleteWordLeft,
    DeleteWordRight,
    DeleteToStart,
    DeleteToEnd,
    Tab,

    /// <summary>Ctrl-R.</summary>
    Search,

    /// <summary>Ctrl-L.</summary>
    ClearScreen,

    /// <summary>Escape or Ctrl-G.</summary>
    Cancel,

    /// <summary>Ctrl-C.</summary>
    Interrupt,

    /// <summary>Ctrl-D.</summary>
    EndOfInput,

    /// <summary>Ctrl-Z.</summary>
    Suspend,

    /// <summary>The terminal is gone.</summary>
    Closed,
}

/// <summary>A decoded key press.</summary>
/// <param name="Kind">Its meaning.</param>
/// <param name="Text">Of <see cref="KeyKind.Text"/> and <see cref="KeyKind.Paste"/>; otherwise empty.</param>
internal readonly record struct Key(KeyKind Kind, string Text = "");

/// <summary>A source of key presses.</summary>
internal interface IKeySource
{
    /// <summary>Prepares the terminal: no echo, no line buffering.</summary>
    void Begin();

    /// <summary>Restores the terminal. Safe to call from any thread, and twice.</summary>
    void End();

    /// <summary>Waits for a key.</summary>
    Key Read();

    /// <summary>Whether another key is available within this time, as in pasted text.</summary>
    bool IsWaiting(TimeSpan time);

    /// <summary>Stops the process until the shell continues it.</summary>
    void Suspend();
}

/// <summary>Bytes of a terminal.</summary>
internal interface IByteSource
{
    /// <summary>Waits for a byte; -1 at the end.</summary>
    int Read();

    /// <summary>Whether a byte is available within this time.</summary>
    bool IsWaiting(TimeSpan time);
}

/// <summary>Decodes what a terminal in raw mode sends: UTF-8, control characters, escape sequences (ECMA-48) and bracketed paste.</summary>
internal sealed class KeyDecoder(IByteSource bytes)
{
    private const int Escape = 0x1B;
    private const int MaximumSequence = 32;
    private static readonly TimeSpan sequenceTime = TimeSpan.FromMilliseconds(50);
    private static readonly byte[] pasteEnd = "\e[201~"u8.ToArray();

    private int? unread;

    public Key Read()
    {
        int first = Next();
        return first switch
        {
            < 0 => new Key(KeyKind.Closed),
            Escape => ReadEscape(),
            < ' ' or 0x7F => new Key(OfControl(first)),
            _ => new Key(KeyKind.Text, ReadCharacter((byte)first)),
        };
    }

    private int Next()
    {
        int next = unread ?? bytes.Read();
        unread = null;
        return next;
    }

    private static KeyKind OfControl(int control) => control switch
    {
        '\r' or '\n' => KeyKind.Enter,
        '\t' => KeyKind.Tab,
        0x7F or 'H' - '@' => KeyKind.Backspace,
        'A' - '@' => KeyKind.Home,
        'B' - '@' => KeyKind.Left,
        'C' - '@' => KeyKind.Interrupt,
        'D' - '@' => KeyKind.EndOfInput,
        'E' - '@' => KeyKind.End,
        'F' - '@' => KeyKind.Right,
        'G' - '@' => KeyKind.Cancel,
        'K' - '@' => KeyKind.DeleteToEnd,
        'L' - '@' => KeyKind.ClearScreen,
        'N' - '@' => KeyKind.Down,
        'P' - '@' => KeyKind.Up,
        'R' - '@' => KeyKind.Search,
        'U' - '@' => KeyKind.DeleteToStart,
        'W' - '@' => KeyKind.DeleteWordLeft,
        'Z' - '@' => KeyKind.Suspend,
        _ => KeyKind.Unknown,
    };

    private Key ReadEscape()
    {
        // A single Escape is the key; a sequence follows at once.
        if (!bytes.IsWaiting(sequenceTime))
            return new Key(KeyKind.Cancel);
        int next = Next();
        return next switch
        {
            '[' => ReadControlSequence(),
            'O' => new Key(OfFinal((char)Next(), isWord: false)),
            '\r' or '\n' => new Key(KeyKind.NewLine),
            'b' => new Key(KeyKind.WordLeft),
            'f' => new Key(KeyKind.WordRight),
            'd' => new Key(KeyKind.DeleteWordRight),
            0x7F or 'H' - '@' => new Key(KeyKind.DeleteWordLeft),
            < 0 => new Key(KeyKind.Closed),
            _ => new Key(KeyKind.Unknown),
        };
    }

    private Key ReadControlSequence()
    {
        StringBuilder parameters = new();
        while (parameters.Length < MaximumSequence)
        {
            int next = Next();
            if (next < 0)
                return new Key(KeyKind.Closed);
            // Function keys of the Linux console: ESC [ [ A
            if (next == '[' && parameters.Length == 0)
            {
                _ = Next();
                return new Key(KeyKind.Unknown);
            }

            if (next is >= '@' and <= '~')
                return OfSequence(parameters.ToString(), (char)next);
            parameters.Append((char)next);
        }

        return new Key(KeyKind.Unknown);
    }

    private Key OfSequence(string parameters, char final)
    {
        string[] parts = parameters.Split(';');
        bool hasModifier = parts.Length > 1 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int modifier) && modifier > 1;
        // Modifiers are 1 + (1: Shift, 2: Alt, 4: Ctrl).
        bool isWord = hasModifier && parts[1] is not "2";
        return (final, parts[0]) switch
        {
            ('~', "200") => new Key(KeyKind.Paste, ReadPaste()),
            ('~', "1" or "7") => new Key(KeyKind.Home),
            ('~', "4" or "8") => new Key(KeyKind.End),
            ('~', "3") => new Key(isWord ? KeyKind.DeleteWordRight : KeyKind.Delete),
            ('~', "27") when parts is [_, _, "13"] => new Key(KeyKind.NewLine),
            ('u', "13") => new Key(hasModifier ? KeyKind.NewLine : KeyKind.Enter),
            ('~' or 'u', _) => new Key(KeyKind.Unknown),
            _ => new Key(OfFinal(final, isWord)),
        };
    }

    private static KeyKind OfFinal(char final, bool isWord) => final switch
    {
        'A' => KeyKind.Up,
        'B' => KeyKind.Down,
        'C' => isWord ? KeyKind.WordRight : KeyKind.Right,
        'D' => isWord ? KeyKind.WordLeft : KeyKind.Left,
        'H' => KeyKind.Home,
        'F' => KeyKind.End,
        'M' => KeyKind.Enter,
        _ => KeyKind.Unknown,
    };

    private string ReadPaste()
    {
        ArrayBufferWriter<byte> pasted = new();
        while (!pasted.WrittenSpan.EndsWith(pasteEnd))
        {
            int next = Next();
            if (next < 0)
                return Encoding.UTF8.GetString(pasted.WrittenSpan);
            pasted.GetSpan(1)[0] = (byte)next;
            pasted.Advance(1);
        }

        return Encoding.UTF8.GetString(pasted.WrittenSpan[..^pasteEnd.Length]);
    }

    private string ReadCharacter(byte first)
    {
        int length = first switch { >= 0xF8 => 1, >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
        Span<byte> encoded = stackalloc byte[4];
        encoded[0] = first;
        int count = 1;
        while (count < length)
        {
            int next = Next();
            if (next is < 0x80 or >= 0xC0)
            {
                unread = next;
                break;
            }

            encoded[count++] = (byte)next;
        }

        return Encoding.UTF8.GetString(encoded[..count]);
    }
}
