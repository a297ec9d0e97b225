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
            SkipHole(file, HoleBytes);
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
            SkipHole(file, HoleBytes);
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

    /// <summary>The single 17.3 GB file of the composition model, with every tensor in its place, as one hole of zeros.</summary>
    [Fact]
    public void The_published_7b_opens_from_one_file_of_17_gigabytes()
    {
        using TinyCheckpoint folder = new();
        folder.WriteText("config.json", """{"model_type":"internlmxcomposer2","img_size":224,"num_attention_heads":32,"num_key_value_heads":8,"torch_dtype":"bfloat16"}""");
        IReadOnlyList<ExpectedTensor> expected = ModelTensors.Expected(ModelPresets.Find(ModelPresets.Composition7B));
        PickleWriter pickle = new PickleWriter().Start();
        List<(byte[] Name, long Header, long Bytes)> entries = [];
        using (FileStream file = new(folder.PathOf("pytorch_model.bin"), FileMode.CreateNew))
        using (BinaryWriter writer = new(file))
        {
            foreach (ExpectedTensor tensor in expected)
            {
                long elements = tensor.Shape.ElementCount;
                pickle.Tensor(tensor.Name, "BFloat16Storage", $"{entries.Count}", elements, 0, tensor.Shape.AsSpan().ToArray(), TorchFixture.Strides(tensor.Shape));
                Begin($"pytorch_model/data/{entries.Count}", elements * 2);
                SkipHole(file, elements * 2);
            }
            byte[] raw = pickle.End().ToArray();
            Begin("pytorch_model/data.pkl", raw.Length);
            writer.Write(raw);
            TorchFixture.WriteDirectory64(writer, entries);

            void Begin(string name, long bytes)
            {
                entries.Add((Encoding.UTF8.GetBytes(name), file.Position, bytes));
                TorchFixture.WriteLocalHeader(writer, Encoding.UTF8.GetBytes(name), 0, -1);
                writer.Flush();
            }
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        using Checkpoint checkpoint = folder.Open();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
        CheckpointValidator.Validate(checkpoint);
        Assert.Equal(ModelPresets.Find(ModelPresets.Composition7B), checkpoint.Config);
        Assert.Equal(expected.Sum(tensor => tensor.Shape.ElementCount) * 2, checkpoint.TotalBytes);
    }

    private static unsafe void Check(TensorFile tensors)
    {
        Assert.True(tensors.TryGet("hole", out HostTensor hole) && hole.Bytes == HoleBytes);
        Assert.Equal(0f, ((float*)hole.Data)[(HoleBytes / 4) - 1]);
        Assert.True(tensors.TryGet("end", out HostTensor end));
        Assert.Equal(42f, *(float*)end.Data);
        Assert.True((long)end.Data - hole.Data >= HoleBytes);
    }

    private static void SkipHole(FileStream file, long holeBytes)
    {
        file.Flush();
        try
        {
            file.SetLength(file.Position + holeBytes);
        }
        catch (IOException error)
        {
            Assert.Skip($"no room for a sparse file: {error.Message}");
        }
        file.Position = file.Length;
    }
}
