using System.IO.Compression;
using System.Text;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class TorchArchiveTests
{
    private static readonly byte[] SixFloats = TinyTensor.F32(new Shape(6), i => i + 0.5f).Data;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Serves_views_of_a_shared_storage(bool zip64)
    {
        byte[] pickle = new PickleWriter().Start()
            .Tensor("whole", "FloatStorage", "7", 6, 0, [2, 3], [3, 1])
            .Tensor("tail", "FloatStorage", "7", 6, 4, [2], [1])
            .Tensor("row", "FloatStorage", "7", 6, 3, [1, 3], [99, 1])
            .Tensor("scalar", "FloatStorage", "7", 6, 5, [], [])
            .End().ToArray();
        using TensorFile file = Read(TorchFixture.Zip([("x/data.pkl", pickle), ("x/data/7", SixFloats)], zip64));
        Assert.Equal([0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f], Values(file, "whole"));
        Assert.Equal([4.5f, 5.5f], Values(file, "tail"));
        Assert.Equal([3.5f, 4.5f, 5.5f], Values(file, "row"));
        Assert.Equal([5.5f], Values(file, "scalar"));
    }

    [Fact]
    public void Reads_what_another_zip_writer_wrote()
    {
        using MemoryStream stream = new();
        using (ZipArchive zip = new(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add(zip, "m/data.pkl", new PickleWriter().Start().Tensor("t", "ByteStorage", "0", 3, 0, [3], [1]).End().ToArray());
            Add(zip, "m/data/0", [7, 8, 9]);
        }
        using TensorFile file = Read(stream.ToArray());
        Assert.Equal(new Shape(3), Assert.Single(file.Tensors).Shape);
        Assert.True(file.TryGet("t", out _));
    }

    [Fact]
    public void Ordered_dictionaries_attributes_parameters_and_long_integers_are_known()
    {
        PickleWriter writer = new PickleWriter().Raw(0x80, 2).Global("collections", "OrderedDict").Op(')').Op('R').Raw((byte)'q', 0).Op('(')
            .Text("p").Global("torch._utils", "_rebuild_parameter").Op('(')
            .Global("torch._utils", "_rebuild_tensor_v2").Op('(').Op('(').Text("storage").Global("torch", "HalfStorage").Text("0").Text("cuda:0").Raw(0x8a, 1, 2).Op('t').Op('Q')
            .Raw(0x8a, 0).Integers(2).Integers(1).Raw(0x88).Op('N').Op('t').Op('R')
            .Raw(0x88).Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R').Op('u')
            .Op('}').Raw((byte)'r', 1, 1, 0, 0).Text("_metadata").Global("collections", "OrderedDict").Op(')').Op('R').Op('s').Op('b').Op('.');
        using TensorFile file = Read(TorchFixture.Archive(writer.ToArray(), ("0", TinyTensor.F16(new Shape(2), i => i + 1).Data)));
        Assert.Equal([1f, 2f], Values(file, "p"));
    }

    [Theory]
    [InlineData("os", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("posix", "system")]
    [InlineData("torch", "load")]
    [InlineData("torch._utils", "_rebuild_tensor_v3")]
    [InlineData("torch.storage", "UntypedStorage")]
    [InlineData("torch", "QInt8Storage")]
    public void A_foreign_name_is_refused_with_its_offset(string module, string name)
    {
        byte[] pickle = new PickleWriter().Raw(0x80, 2).Global(module, name).Text("echo never").Raw(0x85).Op('R').Op('.').ToArray();
        TinyCheckpoint.Refused(() => Read(TorchFixture.Archive(pickle)).Dispose(), $"'{module}.{name}'", "byte 2", "data.pkl");
    }

    [Theory]
    [InlineData((byte)'i', "'i'")]
    [InlineData((byte)'o', "'o'")]
    [InlineData((byte)0x93, "0x93")]
    [InlineData((byte)0x82, "0x82")]
    [InlineData((byte)'P', "'P'")]
    [InlineData((byte)'S', "'S'")]
    [InlineData((byte)0x81, "0x81")]
    [InlineData((byte)0x8b, "0x8b")]
    public void A_foreign_opcode_is_refused_with_its_offset(byte opcode, string shown)
    {
        byte[] pickle = new PickleWriter().Start().Raw(opcode, (byte)'\n', (byte)'\n').End().ToArray();
        TinyCheckpoint.Refused(() => Read(TorchFixture.Archive(pickle)).Dispose(), "byte 6", "opcode " + shown);
    }

    [Theory]
    [InlineData(6, 0, new[] { 2, 3 }, new[] { 0, 1 }, "a stride of 1 or more for dimension 0")]
    [InlineData(6, 0, new[] { 2, 3 }, new[] { -1, 2 }, "a stride of 1 or more for dimension 0")]
    [InlineData(6, 0, new[] { 3, 2 }, new[] { 2, 2 }, "inside of the 6 elements")]
    [InlineData(6, 0, new[] { 2, 2 }, new[] { int.MaxValue, 1 }, "inside of the 6 elements")]
    [InlineData(6, 1, new[] { 6 }, new[] { 1 }, "inside of the 6 elements")]
    [InlineData(6, -1, new[] { 6 }, new[] { 1 }, "inside of the 6 elements")]
    [InlineData(6, 0, new[] { 1 << 30, 1 << 30, 1 << 30 }, new[] { 1, 1, 1 }, "shape")]
    [InlineData(6, 0, new[] { -2, 3 }, new[] { 3, 1 }, "sizes")]
    [InlineData(6, 0, new[] { 6 }, new[] { 1, 1 }, "shape, strides")]
    [InlineData(7, 0, new[] { 6 }, new[] { 1 }, "7 elements")]
    [InlineData(-1, 0, new[] { 6 }, new[] { 1 }, "0 elements or more")]
    [InlineData(6, 0, new[] { 1, 1, 1, 1, 1, 1, 1, 1, 6 }, new[] { 6, 6, 6, 6, 6, 6, 6, 6, 1 }, "sizes")]
    public void A_view_that_repeats_elements_or_leaves_its_storage_is_refused(int elements, int offset, int[] shape, int[] strides, string word)
    {
        byte[] pickle = new PickleWriter().Start().Tensor("t", "FloatStorage", "0", elements, offset, shape, strides).End().ToArray();
        TinyCheckpoint.Refused(() => Read(TorchFixture.Archive(pickle, ("0", SixFloats))).Dispose(), "made by test", word);
    }

    /// <summary>As torch saves tensor.t(), tensor[::2], tensor[:, 1:] and others: without a copy.</summary>
    [Theory]
    [InlineData(0, new[] { 3, 2 }, new[] { 1, 3 }, new[] { 0f, 3, 1, 4, 2, 5 })]
    [InlineData(1, new[] { 2, 2 }, new[] { 3, 1 }, new[] { 1f, 2, 4, 5 })]
    [InlineData(0, new[] { 3 }, new[] { 2 }, new[] { 0f, 2, 4 })]
    [InlineData(1, new[] { 1, 2, 1, 2 }, new[] { 100, 3, 0, 1 }, new[] { 1f, 2, 4, 5 })]
    [InlineData(0, new[] { 2, 3 }, new[] { 1, 2 }, new[] { 0f, 2, 4, 1, 3, 5 })]
    public void Non_contiguous_view_is_copied_into_order(int offset, int[] shape, int[] strides, float[] expected)
    {
        byte[] pickle = new PickleWriter().Start().Tensor("t", "FloatStorage", "0", 6, offset, shape, strides).End().ToArray();
        using TensorFile file = Read(TorchFixture.Archive(pickle, ("0", SixFloats)));
        Assert.True(file.TryGet("t", out HostTensor tensor));
        Assert.Equal(shape, tensor.Shape.AsSpan().ToArray());
        float[] values = [.. expected.Select(index => index + 0.5f)];
        Assert.Equal(values, HostTensorValues.ToFloats(tensor));
        file.Release("t");
        Assert.True(file.TryGet("t", out tensor));
        Assert.Equal(values, HostTensorValues.ToFloats(tensor));
    }

    [Fact]
    public void Copies_of_views_are_limited_by_the_size_of_the_file()
    {
        PickleWriter pickle = new PickleWriter().Start();
        byte[] storage = new byte[4 << 16];
        for (int i = 0; i < 8; i++)
            pickle.Tensor($"t{i}", "FloatStorage", "0", 1 << 16, 0, [256, 256], [1, 256]);
        TinyCheckpoint.Refused(() => Read(TorchFixture.Archive(pickle.End().ToArray(), ("0", storage))).Dispose(), "'t1'", "not contiguous", "the size of the file");
    }

    [Fact]
    public void Missing_storages_duplicates_and_other_values_are_refused()
    {
        TinyCheckpoint.Refused(() => Read(TorchFixture.Archive(new PickleWriter().Start().Tensor("t", "FloatStorage", "9", 6, 0, [6], [1]).End().ToArray(), ("0", SixFloats))).Dispose(), "'t'", "data/'9'");
        TinyCheckpoint.Refused(() => Read(TorchFixture.Archive(new PickleWriter().Start().Tensor("t", "FloatStorage", "0", 6, 0, [6], [1]).Tensor("t", "FloatStorage", "0", 6, 0, [6], [1]).End().ToArray(), ("0", SixFloats))).Dispose(), "'t'", "duplicate");
        TinyCheckpoint.Refused(() => Read(TorchFixture.Archive(new PickleWriter().Start().Text("t").Integer(3).End().ToArray())).Dispose(), "'t'", "the number 3");
        TinyCheckpoint.Refused(() => Read(TorchFixture.Archive(new PickleWriter().Raw(0x80, 2).Integer(3).Op('.').ToArray())).Dispose(), "state dictionary");
    }

    [Fact]
    public void Stack_underflows_and_empty_memos_are_refused()
    {
        foreach (string opcodes in (string[])["t", "R", "Q", "u", "s", "b", ".", "q\0", "h\0", "j\0\0\0\0", "(R", "(.", "N(.", "X\u007f\u007f\u007f\u007f", "K", "M\0", "J\0", "\u0085", "}(N\u0085u.", "cxx", "r", ""])
        {
            byte[] pickle = [0x80, 2, .. Encoding.Latin1.GetBytes(opcodes)];
            TinyCheckpoint.Refused(() => Read(TorchFixture.Archive(pickle)).Dispose(), "byte ");
        }
        TinyCheckpoint.Refused(() => Read(TorchFixture.Archive([0x80, 4, (byte)'}', (byte)'.'])).Dispose(), "protocol 4");
    }

    /// <summary>Pickles of the opcodes that make the most of each byte: memory stays within 64 times their length.</summary>
    [Theory]
    [InlineData("}")]
    [InlineData("(")]
    [InlineData("N")]
    [InlineData("K\u0007")]
    [InlineData("\u0085")]
    [InlineData("h\u0001h\u0002R")]
    [InlineData("h\u0003)R")]
    [InlineData("h\u0005Q")]
    [InlineData("h\u0006")]
    [InlineData("(t")]
    [InlineData("}h\u0006h\u0006s")]
    public void Dense_pickles_stay_within_the_stated_memory(string opcodes)
    {
        PickleWriter writer = new PickleWriter().Start()
            .Global("torch._utils", "_rebuild_tensor_v2").Raw((byte)'q', 1)
            .Op('(').Op('(').Text("storage").Global("torch", "FloatStorage").Text("0").Text("cpu").Integer(6).Op('t').Raw((byte)'q', 5).Op('Q')
            .Integer(0).Integers(1, 1, 1, 1, 1, 1, 1, 6).Integers(6, 6, 6, 6, 6, 6, 6, 1).Op('t').Raw((byte)'q', 2)
            .Global("collections", "OrderedDict").Raw((byte)'q', 3).Text("text").Raw((byte)'q', 6);
        byte[] start = writer.ToArray(), repeated = Encoding.Latin1.GetBytes(opcodes);
        byte[] pickle = [.. start, .. Enumerable.Range(0, 400_000 / repeated.Length).SelectMany(_ => repeated), (byte)'.'];
        byte[] file = TorchFixture.Archive(pickle, ("0", SixFloats));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<CheckpointException>(() => Read(file).Dispose());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (64L * file.Length) + (16 << 10));
    }

    [Fact]
    public void A_pickle_over_the_limit_is_refused_unread() =>
        TinyCheckpoint.Refused(() => Read(TorchFixture.Archive(new byte[(8 << 20) + 1])).Dispose(), "data.pkl", "at most 8388608 bytes");

    [Fact]
    public void Deep_and_cyclic_values_do_no_harm()
    {
        byte[] deep = [0x80, 2, (byte)')', .. Enumerable.Repeat((byte)0x85, 1_000_000), (byte)'.'];
        TinyCheckpoint.Refused(() => Read(TorchFixture.Archive(deep)).Dispose(), "state dictionary");
        byte[] cyclic = new PickleWriter().Start().Text("self").Raw((byte)'h', 0).End().ToArray();
        TinyCheckpoint.Refused(() => Read(TorchFixture.Archive(cyclic)).Dispose(), "'self'", "a dictionary");
    }

    [Fact]
    public void Compressed_encrypted_and_doubled_entries_are_refused()
    {
        byte[] pickle = new PickleWriter().Start().End().ToArray();
        TinyCheckpoint.Refused(() => Read(TorchFixture.Zip([("a/data.pkl", pickle)], method: 8)).Dispose(), "stored entry", "method 8");
        TinyCheckpoint.Refused(() => Read(TorchFixture.Zip([("a/data.pkl", pickle), ("a/data.pkl", pickle)])).Dispose(), "duplicate");
        TinyCheckpoint.Refused(() => Read(TorchFixture.Zip([("a/data.pkl", pickle), ("b/data.pkl", pickle)])).Dispose(), "data.pkl", "two");
        TinyCheckpoint.Refused(() => Read(TorchFixture.Zip([("a/b/data.pkl", pickle)])).Dispose(), "data.pkl");
        TinyCheckpoint.Refused(() => Read(TorchFixture.Zip([("a/data.pkl", pickle), ("a/byteorder", "big"u8.ToArray())])).Dispose(), "byteorder");
        using MemoryStream bomb = new();
        using (ZipArchive zip = new(bomb, ZipArchiveMode.Create, leaveOpen: true))
            using (Stream entry = zip.CreateEntry("m/data.pkl", CompressionLevel.SmallestSize).Open())
                entry.Write(new byte[10_000_000]);
        TinyCheckpoint.Refused(() => Read(bomb.ToArray()).Dispose(), "stored entry", "method 8");
    }

    [Fact]
    public void Overlapping_entries_are_refused()
    {
        byte[] file = TorchFixture.Archive(new PickleWriter().Start().End().ToArray(), ("0", SixFloats));
        // The first entry's size in the directory grows over the second entry.
        int record = file.AsSpan().IndexOf("PK\u0001\u0002"u8);
        file[record + 20] += 100;
        file[record + 24] += 100;
        TinyCheckpoint.Refused(() => Read(file).Dispose(), "zip entry", "overlap");
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        byte[] file = TorchFixture.Archive(new Dictionary<string, TinyTensor> { ["a"] = TinyTensor.F32(new Shape(2, 3), i => i), ["b"] = TinyTensor.F16(new Shape(3), i => i) });
        Read(file).Dispose();
        for (int length = 0; length < file.Length; length++)
            TinyCheckpoint.Refused(() => Read(file[..length]).Dispose(), "made by test");
    }

    [Theory]
    [InlineData(new byte[] { 0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46 }, "before torch 1.6")]
    [InlineData(new byte[] { 1, 2, 3, 4 }, "01020304")]
    public void Other_files_are_named(byte[] content, string word) => TinyCheckpoint.Refused(() => Read(content).Dispose(), word);

    [Fact]
    public void A_misaligned_storage_is_refused()
    {
        byte[] pickle = new PickleWriter().Start().Tensor("t", "FloatStorage", "0", 6, 0, [6], [1]).End().ToArray();
        using MemoryStream stream = new();
        string root = "m";
        do
        {
            stream.SetLength(0);
            using (ZipArchive zip = new(stream, ZipArchiveMode.Create, leaveOpen: true))
            {
                Add(zip, root + "/data.pkl", pickle);
                Add(zip, root + "/data/0", SixFloats);
            }
            root += "m";
        }
        while (stream.ToArray().AsSpan().IndexOf(SixFloats) % 4 == 0);
        TinyCheckpoint.Refused(() => Read(stream.ToArray()).Dispose(), "storage data/'0'", "multiple of 4");
    }

    private static void Add(ZipArchive zip, string name, byte[] data)
    {
        using Stream entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
        entry.Write(data);
    }

    private static float[] Values(TensorFile file, string name)
    {
        Assert.True(file.TryGet(name, out HostTensor tensor));
        return HostTensorValues.ToFloats(tensor);
    }

    private static TensorFile Read(byte[] file) => TensorFile.ReadTorch(FileBytes.FromArray(file, file.Length, "made by test"));
}
