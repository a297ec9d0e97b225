using System.Buffers.Binary;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed unsafe class SafetensorsTests
{
    [Fact]
    public void Serves_what_is_stored()
    {
        using TensorFile file = Read("""{"b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"e":{"dtype":"I64","shape":[5,0],"data_offsets":[7,7]},"s":{"dtype":"I8","shape":[],"data_offsets":[7,8]}}""", [0, 0, 128, 63, 1, 2, 3, 0xFF]);
        Assert.Equal(["b", "a", "e", "s"], file.Tensors.Select(tensor => tensor.Name));
        Assert.True(file.TryGet("a", out HostTensor one));
        Assert.Equal((DType.F32, new Shape(1, 1), 1f), (one.Type, one.Shape, *(float*)one.Data));
        Assert.True(file.TryGet("b", out HostTensor bytes));
        Assert.Equal(3, ((byte*)bytes.Data)[2]);
        Assert.True(file.TryGet("e", out HostTensor empty));
        Assert.Equal(0, empty.Bytes);
        Assert.True(file.TryGet("s", out HostTensor scalar));
        Assert.Equal((sbyte)-1, *(sbyte*)scalar.Data);
        Assert.False(file.TryGet("c", out _));
    }

    [Theory]
    [InlineData("F64", 8)]
    [InlineData("BOOL", 1)]
    [InlineData("F8_E4M3", 1)]
    [InlineData("U16", 2)]
    public void A_legal_type_that_nothing_uses_fails_only_when_used(string type, int bytes)
    {
        using TensorFile file = Read($$$"""{"odd":{"dtype":"{{{type}}}","shape":[1],"data_offsets":[0,{{{bytes}}}]}}""", new byte[bytes]);
        Assert.Equal(type, Assert.Single(file.Tensors).TypeName);
        TinyCheckpoint.Refused(() => file.TryGet("odd", out _), "made by test", "'odd'", type);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647,2147483647,2147483647,2147483647],"data_offsets":[0,4]}}""", 4, "shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}""", 4, "sizes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "integers")]
    [InlineData("""{"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}}""", 4, "'Q4'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}""", 4, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", 4, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,18446744073709551616]}}""", 4, "data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4, "two offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", 4, "two offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""", 6, "overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "overlap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12, "gap")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5, "data")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "duplicate")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "second")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", 0, "no data_offsets")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4, "no dtype")]
    [InlineData("""{"a":[1]}""", 0, "StartObject")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} x""", 4, "JSON")]
    [InlineData("""[1]""", 0, "JSON object")]
    [InlineData("""{"a":""", 0, "JSON")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", 0, "UTF-8")]
    [InlineData("""{"__metadata__":7}""", 0, "__metadata__")]
    public void A_lying_header_is_refused(string header, int dataBytes, string word) =>
        TinyCheckpoint.Refused(() => Read(header, new byte[dataBytes]).Dispose(), "made by test", word);

    [Theory]
    [InlineData(0L)]
    [InlineData(100L)]
    [InlineData(-1L)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void A_header_length_outside_of_the_file_is_refused(long length)
    {
        byte[] file = TinyCheckpoint.SafetensorsFrom("{}", []);
        BinaryPrimitives.WriteInt64LittleEndian(file, length);
        TinyCheckpoint.Refused(() => Read(file).Dispose(), "header length", $"{(ulong)length}");
    }

    [Fact]
    public void A_deep_header_is_refused() =>
        TinyCheckpoint.Refused(() => Read("{\"a\":{\"x\":" + new string('[', 100_000) + new string(']', 100_000) + "}}", []).Dispose(), "header");

    [Fact]
    public void Every_truncation_is_refused()
    {
        byte[] file = TinyCheckpoint.Safetensors(new Dictionary<string, TinyTensor> { ["a"] = TinyTensor.F32(new Shape(2, 3), i => i), ["b"] = TinyTensor.F16(new Shape(3), i => i) });
        Read(file).Dispose();
        for (int length = 0; length < file.Length; length++)
            TinyCheckpoint.Refused(() => Read(file[..length]).Dispose(), "made by test");
    }

    [Fact]
    public void Nothing_is_served_after_disposal()
    {
        TensorFile file = Read("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", [1]);
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.TryGet("a", out _));
    }

    [Fact]
    public void A_lfs_pointer_says_so() =>
        TinyCheckpoint.Refused(() => Read("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"u8.ToArray()).Dispose(), "git lfs pull");

    private static TensorFile Read(string header, byte[] data) => Read(TinyCheckpoint.SafetensorsFrom(header, data));

    private static TensorFile Read(byte[] file) => TensorFile.ReadSafetensors(FileBytes.FromArray(file, file.Length, "made by test"));
}
