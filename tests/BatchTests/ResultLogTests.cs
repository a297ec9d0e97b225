using System.Text;
using System.Text.Json;
using XComposer2.Native.Batch;
using Xunit;

namespace XComposer2.Native.BatchTests;

/// <summary>Files of results: kills, resumed runs, full disks and foreign files.</summary>
public sealed class ResultLogTests : IDisposable
{
    private const int Results = 6;

    private readonly TemporaryFolder folder = new();
    private readonly string path;

    public ResultLogTests() => path = folder.File("results.jsonl");

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Resumed_file_is_identical_after_a_kill_at_any_byte()
    {
        byte[] whole = Unbroken();
        for (int length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            using (ResultLog log = ResultLog.Resume(path, Settings(), Expect))
            {
                Assert.Equal(whole.AsSpan(0, length).Count((byte)'\n'), log.Count);
                Write(log, (int)log.Count);
            }

            Assert.Equal(whole, File.ReadAllBytes(path));
        }
    }

    [Fact]
    public void Each_commit_is_on_disk_before_it_returns()
    {
        using ResultLog log = ResultLog.Create(path, Settings());
        for (int number = 0; number < Results; number++)
        {
            log.Append(Line(number));
            Assert.Equal(number, ReadShared().Count((byte)'\n'));
            log.Commit();
            Assert.Equal(number + 1, ReadShared().Count((byte)'\n'));
            Assert.Equal(number + 1, log.Count);
        }
    }

    [Fact]
    public void Existing_file_is_refused_without_resume()
    {
        _ = Unbroken();
        BatchException error = Assert.Throws<BatchException>(() => ResultLog.Create(path, Settings()));
        Assert.Equal($"{path}: exists already; --resume continues it", error.Message);
    }

    [Fact]
    public void Resume_begins_a_file_that_is_not_there()
    {
        using ResultLog log = ResultLog.Resume(path, Settings(), Expect);
        Assert.Equal(0, log.Count);
        Assert.True(File.Exists(path + RunSettings.Extension));
    }

    [Theory]
    [InlineData("prompt", "Describe this image.", "Name the shapes.")]
    [InlineData("seed", "7", "8")]
    public void Run_with_another_setting_is_refused_and_the_setting_is_named(string name, string before, string now)
    {
        byte[] whole = Unbroken();
        RunSettings other = new();
        foreach ((string entry, string value) in Settings().Entries)
            other.Add(entry, entry == name ? now : value);
        BatchException error = Assert.Throws<BatchException>(() => ResultLog.Resume(path, other, Expect));
        Assert.Equal($"{path}: was begun with other settings: {name} was '{before}', is '{now}'", error.Message);
        Assert.Equal(whole, File.ReadAllBytes(path));
    }

    [Fact]
    public void Missing_and_surplus_settings_are_named()
    {
        _ = Unbroken();
        Assert.Contains("beams was not set, is '5'", Assert.Throws<BatchException>(() => ResultLog.Resume(path, Settings().Add("beams", "5"), Expect)).Message, StringComparison.Ordinal);
        RunSettings fewer = new();
        fewer.Add("prompt", "Describe this image.");
        Assert.Contains("seed was '7', is not set", Assert.Throws<BatchException>(() => ResultLog.Resume(path, fewer, Expect)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_of_another_program_is_refused()
    {
        File.WriteAllText(path, "{\"id\":\"mine\"}\n");
        BatchException error = Assert.Throws<BatchException>(() => ResultLog.Resume(path, Settings(), Expect));
        Assert.Contains("its settings are missing", error.Message, StringComparison.Ordinal);
        File.WriteAllText(path + RunSettings.Extension, "[1]");
        Assert.Contains("expected an object, found Array", Assert.Throws<BatchException>(() => ResultLog.Resume(path, Settings(), Expect)).Message, StringComparison.Ordinal);
        Assert.Equal("{\"id\":\"mine\"}\n", File.ReadAllText(path));
    }

    [Theory]
    [InlineData("garbage\n")]
    [InlineData("\0\0\0\0\0\n")]
    [InlineData("[]\n")]
    public void Damaged_last_line_is_removed_and_any_other_is_refused(string damage)
    {
        byte[] whole = Unbroken();
        File.WriteAllBytes(path, [.. whole, .. Encoding.UTF8.GetBytes(damage)]);
        using (ResultLog log = ResultLog.Resume(path, Settings(), Expect))
            Assert.Equal(Results, log.Count);
        Assert.Equal(whole, File.ReadAllBytes(path));

        byte[] inside = [.. whole, .. Encoding.UTF8.GetBytes(damage), .. whole];
        File.WriteAllBytes(path, inside);
        Assert.StartsWith($"{path}, line {Results + 1}: expected a result", Assert.Throws<BatchException>(() => ResultLog.Resume(path, Settings(), Expect)).Message, StringComparison.Ordinal);
        Assert.Equal(inside, File.ReadAllBytes(path));
    }

    [Fact]
    public void Second_run_on_the_same_file_is_refused()
    {
        _ = Unbroken();
        using ResultLog first = ResultLog.Resume(path, Settings(), Expect);
        Assert.StartsWith($"{path}.run.json: cannot be locked", Assert.Throws<BatchException>(() => ResultLog.Resume(path, Settings(), Expect)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Full_disk_is_reported_and_leaves_whole_lines()
    {
        byte[] whole = Unbroken();
        for (int room = 0; room < whole.Length; room++)
        {
            using SmallDisk disk = new(room);
            using ResultLog log = new("full.jsonl", disk, () => { }, 0);
            BatchException error = Assert.Throws<BatchException>(() => Write(log, 0));
            Assert.Equal("full.jsonl: cannot be written: No space left on device", error.Message);
            Assert.Equal(whole[..(int)disk.Length], disk.ToArray());
            Assert.Equal(log.Count, disk.ToArray().AsSpan().Count((byte)'\n'));
            Assert.Throws<BatchException>(log.Commit);
        }
    }

    [Fact]
    public void Full_device_is_reported()
    {
        if (!File.Exists("/dev/full")) Assert.Skip("this system has no /dev/full");
        using ResultLog log = new("/dev/full", new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0), () => { }, 0);
        log.Append(Line(0));
        Assert.StartsWith("/dev/full: cannot be written: No space left on device", Assert.Throws<BatchException>(log.Commit).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("a", "a-")]
    [InlineData("a\n", "a+")]
    [InlineData("a\r\n\nb", "a+|+|b-")]
    [InlineData("12345678\n", "!+")]
    [InlineData("1234567\n123456789012345678\nx\n", "1234567+|!+|x+")]
    [InlineData("1\n12345678901", "1+|!-")]
    public void Lines_are_read_in_bounded_memory(string text, string expected)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        foreach (int step in (int[])[1, 3, 100])
        {
            var lines = new ByteLines(new Dribble(bytes, step), maximumLineBytes: 8);
            List<string> found = [];
            long end = 0;
            while (lines.Next() is { } line)
            {
                found.Add((line.IsTooLong ? "!" : Encoding.UTF8.GetString(line.Bytes.Span)) + (line.IsWhole ? "+" : "-"));
                end = line.End;
                Assert.Equal(found.Count, line.Number);
            }

            Assert.Equal(expected, string.Join('|', found));
            Assert.Equal(bytes.Length, end);
        }
    }

    private static RunSettings Settings() => new RunSettings().Add("prompt", "Describe this image.").Add("seed", "7");

    private static Action<Utf8JsonWriter> Line(int number) => writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("id", $"图 {number}");
        writer.WriteNumber("number", number);
        writer.WriteEndObject();
    };

    private static void Expect(long number, JsonElement result)
    {
        if (result.GetProperty("number").GetInt64() != number)
            throw new BatchException($"expected {number}");
    }

    private static void Write(ResultLog log, int from)
    {
        for (int number = from; number < Results; number++)
        {
            log.Append(Line(number));
            log.Commit();
        }
    }

    private byte[] Unbroken()
    {
        using (ResultLog log = ResultLog.Create(path, Settings()))
            Write(log, 0);
        return File.ReadAllBytes(path);
    }

    private byte[] ReadShared()
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Takes a part of a write that does not fit, as file systems do.</summary>
    private sealed class SmallDisk(int room) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            int fits = Math.Min(buffer.Length, room - (int)Length);
            base.Write(buffer[..fits]);
            if (fits < buffer.Length)
                throw new IOException("No space left on device");
        }
    }

    private sealed class Dribble(byte[] bytes, int step) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, step));
    }
}
