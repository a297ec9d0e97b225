using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace XComposer2.Native.Batch;

/// <summary>
/// Results as lines of JSON, in the order of the samples. Lines are appended whole and flushed to disk at each commit, so that a kill costs nothing that was
/// committed, and a resumed run ends with the same file as an unbroken one. The settings of the run lie beside it (<see cref="RunSettings"/>). One run at a
/// time has it open.
/// </summary>
internal sealed class ResultLog : IDisposable
{
    /// <summary>Longest line that is read again.</summary>
    public const int MaximumLineBytes = 64 << 20;

    private static readonly JsonWriterOptions lineOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = false };

    private readonly string path;
    private readonly Stream stream;
    private readonly Action flushToDisk;
    private readonly ArrayBufferWriter<byte> pending = new();
    private readonly Utf8JsonWriter writer;
    private FileStream? held;
    private long committedBytes;
    private long pendingLines;
    private bool isBroken;

    /// <param name="path">For messages.</param>
    /// <param name="stream">At its end; owned.</param>
    /// <param name="flushToDisk">Makes what was written durable.</param>
    /// <param name="count">Lines that it has.</param>
    internal ResultLog(string path, Stream stream, Action flushToDisk, long count)
    {
        this.path = path;
        this.stream = stream;
        this.flushToDisk = flushToDisk;
        writer = new Utf8JsonWriter(pending, lineOptions);
        committedBytes = stream.CanSeek ? stream.Position : 0;
        Count = count;
    }

    /// <summary>Committed results.</summary>
    public long Count { get; private set; }

    /// <summary>Begins a new file.</summary>
    /// <exception cref="BatchException">There is such a file already, or it cannot be written.</exception>
    public static ResultLog Create(string path, RunSettings settings)
    {
        if (Path.Exists(path))
            throw new BatchException($"{path}: exists already; --resume continues it");
        settings.Save(path + RunSettings.Extension);
        return Open(path, FileMode.CreateNew, RunSettings.Lock(path + RunSettings.Extension), null);
    }

    /// <summary>Continues a file of the same settings, or begins one if there is none. A last line that was cut off is removed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="settings">Of this run.</param>
    /// <param name="seen">Told each result, with its number from 0; throws a <see cref="BatchException"/> to refuse it.</param>
    /// <exception cref="BatchException">The file belongs to a run with other settings, is damaged before its last line, or is in use.</exception>
    public static ResultLog Resume(string path, RunSettings settings, Action<long, JsonElement> seen)
    {
        ArgumentNullException.ThrowIfNull(seen);
        string beside = path + RunSettings.Extension;
        if (!File.Exists(beside))
            return Path.Exists(path) ? throw new BatchException($"{path}: is not continued: its settings are missing (expected in {beside})") : Create(path, settings);
        FileStream held = RunSettings.Lock(beside);
        try
        {
            settings.RequireSame(path, RunSettings.Load(beside, held));
        }
        catch
        {
            held.Dispose();
            throw;
        }

        return Open(path, FileMode.OpenOrCreate, held, seen);
    }

    /// <summary>Adds one line; it is in memory until <see cref="Commit"/>.</summary>
    /// <param name="write">Writes one value, an object.</param>
    public void Append(Action<Utf8JsonWriter> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        writer.Reset(pending);
        write(writer);
        writer.Flush();
        pending.Write("\n"u8);
        pendingLines++;
    }

    /// <summary>Makes all lines durable.</summary>
    /// <exception cref="BatchException">They cannot be written; the file is as it was after the last commit.</exception>
    public void Commit()
    {
        if (pendingLines == 0)
            return;
        if (isBroken)
            throw new BatchException($"{path}: an earlier write has failed");
        try
        {
            stream.Write(pending.WrittenSpan);
            stream.Flush();
            flushToDisk();
        }
        catch (Exception error) when (WholeFile.IsRefused(error))
        {
            isBroken = true;
            TakeBack();
            throw WholeFile.Refused(path, error);
        }

        committedBytes += pending.WrittenCount;
        Count += pendingLines;
        pendingLines = 0;
        pending.ResetWrittenCount();
    }

    public void Dispose()
    {
        writer.Dispose();
        stream.Dispose();
        held?.Dispose();
    }

    private static ResultLog Open(string path, FileMode mode, FileStream held, Action<long, JsonElement>? seen)
    {
        FileStream? file = null;
        try
        {
            file = new FileStream(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            (long count, long end) = seen is null ? (0, 0) : Read(path, file, seen);
            if (file.Length > end)
                file.SetLength(end);
            file.Seek(end, SeekOrigin.Begin);
            FileStream opened = file;
            return new ResultLog(path, file, () => opened.Flush(flushToDisk: true), count) { held = held };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            held.Dispose();
            throw new BatchException($"{path}: cannot be opened: {error.Message}", error);
        }
        catch
        {
            file?.Dispose();
            held.Dispose();
            throw;
        }
    }

    /// <returns>Whole lines, and where the last of them ends.</returns>
    private static (long Count, long End) Read(string path, FileStream file, Action<long, JsonElement> seen)
    {
        var lines = new ByteLines(file, MaximumLineBytes);
        long count = 0, end = 0;
        string? damage = null;
        while (lines.Next() is { } line)
        {
            // What a crash has left of a last line is dropped; anything after it would be damage of another kind.
            if (damage is not null)
                throw new BatchException($"{path}, line {count + 1}: {damage}");
            if (!line.IsWhole)
                break;
            damage = Refusal(line, count, seen);
            if (damage is not null)
                continue;
            count++;
            end = line.End;
        }

        return (count, end);
    }

    private static string? Refusal(in ByteLine line, long number, Action<long, JsonElement> seen)
    {
        if (line.IsTooLong)
            return $"expected a result, found a line of more than {MaximumLineBytes} bytes";
        try
        {
            using JsonDocument document = JsonDocument.Parse(line.Bytes);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return $"expected a result, found {document.RootElement.ValueKind}";
            seen(number, document.RootElement);
            return null;
        }
        catch (JsonException error)
        {
            return $"expected a result: {error.Message}";
        }
    }

    /// <summary>Removes what a failed write has left: the disk may be full, and a reader should not meet half a line.</summary>
    private void TakeBack()
    {
        try
        {
            if (stream.CanSeek)
                stream.SetLength(committedBytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // The write's own failure is the one to report; a resumed run drops the torn line.
        }
    }
}
