using System.Text;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Offsets beyond 4 GiB, as the published 17 GB file has them, in files that are almost all hole.</summary>
public sealed class LargeFileTests : IDisposable
{
    private const int Rows = 5, Columns = 1 << 28;
    private const long HoleBytes = (long)Rows * Columns * sizeof(float);

    private readonly string path = Path.Combine(Path.GetTempPath(), $"xc2-large-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(path);

    [Fact]
    public void Safetensors()
    {
        string header = $$$"""{"hole":{"dtype":"F32","shape":[{{{Rows}}},{{{Columns}}}],"data_offsets":[0,{{{HoleBytes}}}]},"end":{"dtype":"F32","shape":[1],"data_offsets":[{{{HoleBytes}}},{{{HoleBytes + 4}}}]}}""".PadRight(160);
        using (FileStream file = new(path, FileMode.CreateNew))
        {
            file.Write(TinyCheckpoint.SafetensorsFrom(header, []));
            SkipHole(file);
            file.Write(BitConverter.GetBytes(42f));
        }
        using TensorFile tensors = TensorFile.OpenSafetensors(path);
        Check(tensors);
    }

    [Fact]
    public void Torch_with_zip64()
    {
        byte[] pickle = new PickleWriter().Start()
            .Tensor("hole", "FloatStorage", "0", HoleBytes / 4, 0, [Rows, Columns], [Columns, 1])
            .Tensor("end", "FloatStorage", "1", 1, 0, [1], [1])
            .End().ToArray();
        List<(byte[] Name, long Header, long Bytes)> entries = [];
        using (FileStream file = new(path, FileMode.CreateNew))
        using (BinaryWriter writer = new(file))
        {
            Begin("m/data/0", HoleBytes);
            SkipHole(file);
            Begin("m/data/1", 4);
            writer.Write(42f);
            Begin("m/data.pkl", pickle.Length);
            writer.Write(pickle);
            TorchFixture.WriteDirectory64(writer, entries);

            void Begin(string name, long bytes)
            {
                entries.Add((Encoding.UTF8.GetBytes(name), file.Position, bytes));
                TorchFixture.WriteLocalHeader(writer, Encoding.UTF8.GetBytes(name), 0, -1);
            }
        }
        using TensorFile tensors = TensorFile.OpenTorch(path);
        Check(tensors);
    }

    private static unsafe void Check(TensorFile tensors)
    {
        Assert.True(tensors.TryGet("hole", out HostTensor hole) && hole.Bytes == HoleBytes);
        Assert.Equal(0f, ((float*)hole.Data)[(HoleBytes / 4) - 1]);
        Assert.True(tensors.TryGet("end", out HostTensor end));
        Assert.Equal(42f, *(float*)end.Data);
        Assert.True((long)end.Data - hole.Data >= HoleBytes);
    }

    private static void SkipHole(FileStream file)
    {
        file.Flush();
        try
        {
            file.SetLength(file.Position + HoleBytes);
        }
        catch (IOException error)
        {
            Assert.Skip($"no room for a sparse file: {error.Message}");
        }
        file.Position = file.Length;
    }
}
