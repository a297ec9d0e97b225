using System.Buffers;
using System.Text;

namespace XComposer2.Native.Model;

/// <summary>
/// Decodes ids incrementally and never splits a character. The concatenated result equals <see cref="TextTokenizer.Decode"/> of all ids.
/// One instance per answer; not thread-safe.
/// </summary>
public sealed class StreamingDecoder
{
    private const int LongestCharacterBytes = 4;

    private readonly TextTokenizer tokenizer;
    private readonly byte[] waiting = new byte[LongestCharacterBytes];
    private readonly StringBuilder certain = new();
    private int waitingBytes;

    public StreamingDecoder(TextTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        this.tokenizer = tokenizer;
    }

    /// <summary>Adds an id and returns the text completed by it; may be empty.</summary>
    public string Add(int id)
    {
        Append(id, certain);
        return TakeCertain();
    }

    /// <summary>Returns the rest, with U+FFFD for each byte of an incomplete character, and resets the decoder.</summary>
    public string Finish()
    {
        AppendRest(certain);
        return TakeCertain();
    }

    internal void Append(int id, StringBuilder text)
    {
        if (!tokenizer.IsByte(id, out byte value))
        {
            // Any other piece ends a run of bytes, even one without text.
            AppendRest(text);
            tokenizer.AppendText(id, text);
            return;
        }
        waiting[waitingBytes++] = value;
        while (waitingBytes > 0)
        {
            OperationStatus status = Rune.DecodeFromUtf8(waiting.AsSpan(0, waitingBytes), out Rune character, out int usedBytes);
            if (status == OperationStatus.NeedMoreData)
                break;
            if (status == OperationStatus.Done)
            {
                text.Append(character);
                Drop(usedBytes);
            }
            else
            {
                text.Append('\uFFFD');
                Drop(1);
            }
        }
    }

    internal void AppendRest(StringBuilder text)
    {
        text.Append('\uFFFD', waitingBytes);
        waitingBytes = 0;
    }

    private void Drop(int bytes)
    {
        waitingBytes -= bytes;
        waiting.AsSpan(bytes, waitingBytes).CopyTo(waiting);
    }

    private string TakeCertain()
    {
        string text = certain.ToString();
        certain.Clear();
        return text;
    }
}
