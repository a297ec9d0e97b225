using System.Buffers;
using System.Text;

namespace XComposer2.Native.Model;

/// <summary>
/// Turns ids into text as they come; never gives half a character. The pieces together equal <see cref="TextTokenizer.Decode"/> of all ids.
/// One for each answer; not thread-safe.
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

    /// <summary>Text that became certain with this id; may be empty.</summary>
    public string Add(int id)
    {
        Append(id, certain);
        return TakeCertain();
    }

    /// <summary>What is left at the end: each byte of an unfinished character becomes U+FFFD. The decoder is as new afterwards.</summary>
    public string Finish()
    {
        AppendRest(certain);
        return TakeCertain();
    }

    internal void Append(int id, StringBuilder text)
    {
        if (!tokenizer.IsByte(id, out byte value))
        {
            // Any other piece ends a run of bytes, one without text too.
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
