namespace XComposer2.Native.Batch;

/// <summary>One line of a file.</summary>
/// <param name="Number">From 1.</param>
/// <param name="End">Offset of the byte after it and its line break.</param>
/// <param name="Bytes">Without the line break; valid until the next line is read.</param>
/// <param name="IsWhole">Ends with a line break; the last line of a file may lack it.</param>
/// <param name="IsTooLong">Longer than the limit; its bytes are not given.</param>
internal readonly record struct ByteLine(long Number, long End, ReadOnlyMemory<byte> Bytes, bool IsWhole, bool IsTooLong);

/// <summary>Reads lines of any file in memory of the longest one. The stream is not owned.</summary>
/// <param name="stream">At the beginning.</param>
/// <param name="maximumLineBytes">Lines that are longer are passed over, and say so.</param>
internal sealed class ByteLines(Stream stream, int maximumLineBytes)
{
    private const int FirstBytes = 64 << 10;

    private byte[] buffer = new byte[Math.Min(FirstBytes, maximumLineBytes)];
    private int start;
    private int end;
    private long lineNumber;
    private long consumed;

    /// <returns>The next line; null at the end of the file.</returns>
    public ByteLine? Next()
    {
        bool isTooLong = false;
        int searched = start;
        while (true)
        {
            int found = buffer.AsSpan(searched, end - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                int lineEnd = searched + found;
                ReadOnlyMemory<byte> line = isTooLong ? default : WithoutReturn(buffer.AsMemory(start, lineEnd - start));
                consumed += lineEnd + 1 - start;
                start = lineEnd + 1;
                return new ByteLine(++lineNumber, consumed, line, IsWhole: true, isTooLong);
            }

            searched = end;
            if (isTooLong || end - start >= maximumLineBytes)
            {
                isTooLong = true;
                consumed += end - start;
                start = end = searched = 0;
            }

            Fill(ref searched);
            int read = stream.Read(buffer, end, buffer.Length - end);
            if (read > 0)
            {
                end += read;
                continue;
            }

            if (start == end && !isTooLong)
                return null;
            ReadOnlyMemory<byte> last = isTooLong ? default : buffer.AsMemory(start, end - start);
            consumed += end - start;
            start = end;
            return new ByteLine(++lineNumber, consumed, last, IsWhole: false, isTooLong);
        }
    }

    private void Fill(ref int searched)
    {
        if (start > 0)
        {
            Buffer.BlockCopy(buffer, start, buffer, 0, end - start);
            searched -= start;
            end -= start;
            start = 0;
        }

        if (end == buffer.Length)
            Array.Resize(ref buffer, (int)Math.Min(2L * buffer.Length, maximumLineBytes));
    }

    private static ReadOnlyMemory<byte> WithoutReturn(ReadOnlyMemory<byte> line) => line.Span.EndsWith("\r"u8) ? line[..^1] : line;
}
