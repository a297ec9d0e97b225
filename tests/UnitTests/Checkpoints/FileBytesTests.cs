using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Files that are mapped or read, and change afterwards.</summary>
public sealed class FileBytesTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("xc2-file").FullName;

    private string Path => System.IO.Path.Combine(root, "file");

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void File_that_was_read_keeps_its_bytes_when_it_is_truncated()
    {
        byte[] content = [.. Enumerable.Range(0, 100_000).Select(i => (byte)i)];
        File.WriteAllBytes(Path, content);
        using FileBytes bytes = FileBytes.Read(Path, content.Length, "file", TestContext.Current.CancellationToken);
        Truncate(Path, 0);
        bytes.RequireIntact();
        Assert.Equal(content, bytes.Whole().ToArray());
    }

    [Fact]
    public void Truncated_mapped_file_is_found_out_and_a_longer_or_replaced_one_is_not()
    {
        File.WriteAllBytes(Path, new byte[100_000]);
        using FileBytes bytes = FileBytes.Map(Path);
        File.AppendAllText(Path, "more");
        bytes.RequireIntact();
        string other = Path + ".new";
        File.WriteAllBytes(other, [1]);
        File.Move(Path, Path + ".old");
        File.Move(other, Path);
        bytes.RequireIntact();
        Truncate(Path + ".old", 99_999);
        TinyCheckpoint.Refused(bytes.RequireIntact, "file: expected 100000 bytes, as when it was opened, found 99999 bytes", "truncated while in use");
    }

    [Fact]
    public void Longer_file_than_the_limit_is_rejected_without_allocation()
    {
        using (FileStream sparse = File.Create(Path))
            sparse.SetLength(1L << 40);
        long before = GC.GetAllocatedBytesForCurrentThread();
        TinyCheckpoint.Refused(() => FileBytes.Read(Path, 1000, "configuration", TestContext.Current.CancellationToken).Dispose(), "configuration: expected at most 1000 bytes", "1099511627776 bytes");
        TinyCheckpoint.Refused(() => new WeightReader(WeightLoading.Memory).OpenSafetensors(Path).Dispose(), "size beside the other weight files in memory");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Reading_can_be_cancelled()
    {
        File.WriteAllBytes(Path, new byte[10]);
        Assert.Throws<OperationCanceledException>(() => FileBytes.Read(Path, 10, "file", new CancellationToken(canceled: true)));
        Assert.Throws<OperationCanceledException>(() => new WeightReader(WeightLoading.Memory, new CancellationToken(canceled: true)).OpenTorch(Path));
    }

    private static void Truncate(string path, long length)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(length);
    }
}
