using System.Buffers.Binary;
using System.Text;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>
/// Mutated files, the same ones in every run. Each is either read, and then all that it lists can be touched, or refused with a
/// <see cref="CheckpointException"/>; and reading it allocates no more than a constant times its length.
/// </summary>
public sealed class ReaderFuzzTests(ITestOutputHelper output)
{
    private const int Cases = 60_000;
    private const int SpareBytes = 4096;

    /// <summary>Managed bytes that reading a file of n bytes may allocate: 16 n, and this much for an error and its message.</summary>
    private const long FixedAllowanceBytes = 16 << 10, AllowancePerByte = 16;

    private static readonly byte[][] JsonTokens = Tokens("{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "\\ud800", "null", "true", "-", "e", ".", "\"dtype\":", "\"shape\":[", "\"data_offsets\":[0,", "\"F32\"", "\"BF16\"", "\"F64\"", "\"__metadata__\":{", "99999999999999999999", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");

    private static readonly byte[][] PickleTokens =
        [.. Tokens("ctorch._utils\n_rebuild_tensor_v2\n", "ctorch\nFloatStorage\n", "ccollections\nOrderedDict\n)R", "cos\nsystem\n", "}", "(", "t", "Q", "R", "u", "s", "b", ".", "q\u0001", "h\u0001", "h\u0002", "(((((((((((", ")))))))))", "X\u0003\u0000\u0000\u0000abc", "N", "K\u0005"),
            [0x85], [0x86], [0x87], [0x88], [0x8a, 8, 255, 255, 255, 255, 255, 255, 255, 127], [(byte)'r', 255, 255, 255, 255], [(byte)'j', 0, 0, 0, 0]];

    private static readonly byte[][] ZipTokens = [.. Tokens("PK\u0001\u0002", "PK\u0003\u0004", "PK\u0005\u0006", "PK\u0006\u0006", "PK\u0006\u0007", "data.pkl", "/data/0"), [255, 255, 255, 255], [255, 255, 255, 255, 255, 255, 255, 127], new byte[8]];

    [Fact]
    public void Safetensors_headers()
    {
        byte[] file = TinyCheckpoint.Safetensors(SmallTensors());
        int headerBytes = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        byte[] buffer = new byte[file.Length + SpareBytes];
        ByteMutator mutator = new(1, JsonTokens);
        byte[] header = new byte[headerBytes + SpareBytes];
        Run("safetensors header", Cases, i =>
        {
            // The length field is kept true, so that the mutations reach the JSON behind it.
            int length = mutator.Mutate(file.AsSpan(8, headerBytes), 0, header);
            BinaryPrimitives.WriteInt64LittleEndian(buffer, length);
            header.AsSpan(0, length).CopyTo(buffer.AsSpan(8));
            file.AsSpan(8 + headerBytes).CopyTo(buffer.AsSpan(8 + length));
            return 8 + length + file.Length - 8 - headerBytes;
        }, buffer, TensorFile.ReadSafetensors);
    }

    [Fact]
    public void Whole_safetensors_files()
    {
        byte[] file = TinyCheckpoint.Safetensors(SmallTensors());
        byte[] buffer = new byte[file.Length + SpareBytes];
        ByteMutator mutator = new(2, JsonTokens);
        Run("safetensors file", Cases / 3, _ => mutator.Mutate(file, 0, buffer), buffer, TensorFile.ReadSafetensors);
    }

    [Fact]
    public void Pickles()
    {
        byte[] pickle = Pickle();
        byte[] storage = SmallTensors()["a"].Data;
        byte[] mutated = new byte[pickle.Length + SpareBytes];
        byte[] buffer = new byte[pickle.Length + SpareBytes + 4096];
        ByteMutator mutator = new(3, PickleTokens);
        Run("pickle", Cases, _ =>
        {
            int length = mutator.Mutate(pickle, 0, mutated);
            byte[] archive = TorchFixture.Archive(mutated[..length], ("0", storage));
            archive.CopyTo(buffer, 0);
            return archive.Length;
        }, buffer, TensorFile.ReadTorch);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Archives(bool zip64)
    {
        byte[] file = TorchFixture.Zip([("archive/data.pkl", Pickle()), ("archive/data/0", SmallTensors()["a"].Data), ("archive/version", "3\n"u8.ToArray())], zip64);
        byte[] buffer = new byte[file.Length + SpareBytes];
        ByteMutator mutator = new(zip64 ? 5 : 4, ZipTokens);
        int directory = file.AsSpan().IndexOf("PK\u0001\u0002"u8);
        Run($"zip directory, zip64 {zip64}", Cases / 2, i => mutator.Mutate(file, i % 2 == 0 ? directory : 0, buffer), buffer, TensorFile.ReadTorch);
    }

    [Fact]
    public void Indices()
    {
        byte[] index = """{"metadata":{"total_size":17},"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors","c":"model-00001-of-00002.safetensors"}}"""u8.ToArray();
        byte[] buffer = new byte[index.Length + SpareBytes];
        ByteMutator mutator = new(6, [.. JsonTokens, .. Tokens("../", "/", "\\\\", ".json", "\"weight_map\":{")]);
        RunText("index", _ => mutator.Mutate(index, 0, buffer), buffer, json => ShardIndex.Parse(json, "index", ".safetensors"));
    }

    [Fact]
    public void Configurations()
    {
        byte[] config = Encoding.UTF8.GetBytes(TinyCheckpoint.ConfigJson);
        byte[] buffer = new byte[config.Length + SpareBytes];
        ByteMutator mutator = new(7, JsonTokens);
        RunText("configuration", _ => mutator.Mutate(config, 0, buffer), buffer, json =>
        {
            ModelConfig model = ModelConfigReader.Resolve("config", json, []);
            Assert.True(model.ImageGrid >= 1 && model.Decoder.HiddenSize % model.Decoder.Attention.QueryHeads == 0);
        });
    }

    private static byte[][] Tokens(params string[] tokens) => [.. tokens.Select(Encoding.Latin1.GetBytes)];

    private static Dictionary<string, TinyTensor> SmallTensors() => new()
    {
        ["a"] = TinyTensor.F32(new Shape(3, 4), i => i),
        ["model.layers.0.attention.wo.weight"] = TinyTensor.F16(new Shape(5), i => i),
        ["b"] = TinyTensor.I32(new Shape(2, 1, 3), i => i),
        ["odd"] = new TinyTensor("U8", new Shape(3), [1, 2, 3]),
        ["empty"] = new TinyTensor("F32", new Shape(0), []),
        ["double"] = new TinyTensor("F64", new Shape(1), new byte[8]),
    };

    private static byte[] Pickle() => new PickleWriter().Start()
        .Tensor("whole", "FloatStorage", "0", 12, 0, [3, 4], [4, 1]).Raw((byte)'q', 1)
        .Tensor("tail", "FloatStorage", "0", 12, 8, [2, 2], [2, 1]).Raw((byte)'q', 2)
        .Text("parameter").Global("torch._utils", "_rebuild_parameter").Op('(').Raw((byte)'h', 1).Raw(0x88).Op('N').Op('t').Op('R')
        .End().ToArray();

    private void Run(string what, int cases, Func<int, int> make, byte[] buffer, Func<FileBytes, TensorFile> read)
    {
        int accepted = 0;
        long worst = 0;
        for (int i = 0; i < cases; i++)
        {
            int length = make(i);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                using TensorFile file = read(FileBytes.FromArray(buffer, length, "fuzz"));
                foreach (CheckpointTensor tensor in file.Tensors)
                    if (tensor.Type is not null)
                        Touch(file, tensor.Name);
                accepted++;
            }
            catch (CheckpointException)
            {
            }
            worst = Math.Max(worst, GC.GetAllocatedBytesForCurrentThread() - before - (AllowancePerByte * length));
        }
        Report(what, cases, accepted, worst);
    }

    private void RunText(string what, Func<int, int> make, byte[] buffer, Action<byte[]> read)
    {
        int accepted = 0;
        long worst = 0;
        for (int i = 0; i < Cases / 6; i++)
        {
            byte[] text = buffer[..make(i)];
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(text);
                accepted++;
            }
            catch (CheckpointException)
            {
            }
            worst = Math.Max(worst, GC.GetAllocatedBytesForCurrentThread() - before - (AllowancePerByte * text.Length));
        }
        Report(what, Cases / 6, accepted, worst);
    }

    private void Report(string what, int cases, int accepted, long worst)
    {
        output.WriteLine($"{what}: {cases} cases, {accepted} accepted, at most {worst} bytes over {AllowancePerByte} per byte of the file");
        // Both ways must be well travelled, or the mutations test nothing.
        Assert.InRange(accepted, cases / 200, cases - (cases / 20));
        Assert.True(worst <= FixedAllowanceBytes, $"{what}: {worst} bytes");
    }

    private static unsafe void Touch(TensorFile file, string name)
    {
        Assert.True(file.TryGet(name, out HostTensor tensor));
        long sum = 0;
        for (long i = 0; i < tensor.Bytes; i++)
            sum += ((byte*)tensor.Data)[i];
        Assert.True(sum >= 0 && tensor.Data % tensor.Type.ElementBytes() == 0);
    }
}
