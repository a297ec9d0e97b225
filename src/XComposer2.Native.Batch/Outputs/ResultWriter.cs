using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace XComposer2.Native.Batch;

/// <summary>Writes the results of rows: the log, captions beside pictures, and the file of errors. The log comes first: what follows it can be made again of it.</summary>
/// <param name="log">Of this run; not owned.</param>
/// <param name="format">Of its lines.</param>
/// <param name="filters">Judge answers.</param>
/// <param name="errors">Lines of rows without an answer.</param>
internal sealed class ResultWriter(ResultLog log, ResultFormat format, AnswerFilters filters, ErrorFile errors) : IBatchSink<RowSource>
{
    private static readonly UTF8Encoding utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly List<(string Path, string Text)> captions = [];

    /// <summary>Results of this run by status.</summary>
    public long[] ByStatus { get; } = new long[3];

    public void Write(BatchResult<RowSource> result)
    {
        JudgedResult judged = Judge(result);
        log.Append(writer => format.Write(writer, judged));
        ByStatus[(int)judged.Status]++;
        if (judged.Status == ResultStatus.Error)
            errors.Append(writer => format.Write(writer, judged));
        if (judged.Status == ResultStatus.Ok && result.Source.CaptionPath is { } path)
            captions.Add((path, judged.Text!));
    }

    public void Commit()
    {
        log.Commit();
        errors.Commit();
        foreach ((string path, string text) in captions)
            WriteCaption(path, text);
        captions.Clear();
    }

    /// <summary>A file with one caption, whole or not at all.</summary>
    /// <exception cref="BatchException">It cannot be written.</exception>
    public static void WriteCaption(string path, string text) => WholeFile.Write(path, stream => stream.Write(utf8.GetBytes(text.Trim() + "\n")));

    private JudgedResult Judge(BatchResult<RowSource> result)
    {
        if (result.Answer is not { } answer)
            return new JudgedResult(result, null, result.Filtered);
        string text = result.Source.Prefix + answer.Text;
        return new JudgedResult(result, text, filters.Refuse(text, answer.FinishReason));
    }
}

/// <summary>A copy of the lines without an answer. It is made of the log, so it is written anew when a run is resumed; there is none without errors.</summary>
/// <param name="path">The file.</param>
internal sealed class ErrorFile(string path) : IDisposable
{
    private static readonly JsonWriterOptions lineOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> pending = new();
    private FileStream? file;

    public string Path => path;

    /// <summary>Begins with the errors of earlier runs.</summary>
    /// <exception cref="BatchException">The file cannot be written.</exception>
    public void Begin(IReadOnlyList<byte[]> earlier)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw WholeFile.Refused(path, error);
        }

        foreach (byte[] line in earlier)
        {
            pending.Write(line);
            pending.Write("\n"u8);
        }

        Commit();
    }

    public void Append(Action<Utf8JsonWriter> write)
    {
        using Utf8JsonWriter writer = new(pending, lineOptions);
        write(writer);
        writer.Flush();
        pending.Write("\n"u8);
    }

    /// <exception cref="BatchException">The file cannot be written.</exception>
    public void Commit()
    {
        if (pending.WrittenCount == 0)
            return;
        try
        {
            file ??= new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
            file.Write(pending.WrittenSpan);
        }
        catch (Exception error) when (WholeFile.IsRefused(error))
        {
            throw WholeFile.Refused(path, error);
        }

        pending.ResetWrittenCount();
    }

    public void Dispose() => file?.Dispose();
}
