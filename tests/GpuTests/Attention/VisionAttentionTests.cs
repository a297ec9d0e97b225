using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class VisionAttentionTests(GpuDevice device)
{
    public static TheoryData<DType, int, int> Cases()
    {
        TheoryData<DType, int, int> cases = [];
        foreach (DType storage in (DType[])[DType.F32, DType.F16, DType.BF16])
        {
            foreach (int tokens in (int[])[1, 2, 15, 17, 63, 64, 65, 127, 130, 300])
                cases.Add(storage, 64, tokens);
            foreach (int headSize in (int[])[16, 32, 48, 80, 128])
                cases.Add(storage, headSize, 130);
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Tokens_attend_to_their_own_picture(DType storage, int headSize, int tokens) => Check(storage, 2, tokens, 2, headSize);

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Published_size_is_supported(DType storage) => Check(storage, 1, 1226, 1, 64);

    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Keys_with_a_score_of_minus_infinity_have_no_weight(DType storage)
    {
        const int Tokens = 140;
        float[] queries = StoredFloats.Random(Tokens * 64, 1, storage), keys = StoredFloats.Random(Tokens * 64, 2, storage);
        for (int row = 0; row < Tokens; row++)
        {
            queries[row * 64] = 1;
            if (row is < 70 or 131) keys[row * 64] = float.NegativeInfinity;
        }
        Compare(storage, 1, Tokens, 1, 64, queries, keys, StoredFloats.Random(Tokens * 64, 3, storage), 64);
    }

    [Fact]
    public void Large_scores_give_one_weight()
    {
        const int Tokens = 100;
        float[] queries = StoredFloats.Random(Tokens * 64, 4, DType.F16, 40), keys = StoredFloats.Random(Tokens * 64, 5, DType.F16, 40);
        Compare(DType.F16, 1, Tokens, 1, 64, queries, keys, StoredFloats.Random(Tokens * 64, 6, DType.F16), 64);
    }

    [Fact]
    public void Queries_keys_and_values_may_share_rows()
    {
        const int Tokens = 90, Heads = 2, Size = 64, Width = Heads * Size;
        float[] packed = StoredFloats.Random(Tokens * 3 * Width, 7, DType.F16);
        using DeviceFloats input = device.Upload(packed, DType.F16);
        using DeviceFloats output = device.Allocate(Tokens * Width, DType.F16);
        DevicePointer start = new(input.Address);
        VisionAttention kernel = new(DType.F16, Heads, Size, 3 * Width, FlashTile.ChooseKeys(device.Capability, Size));
        device.Run(kernel, kernel.Geometry(1, Tokens), kernel.Arguments(start, start + (2 * Width), start + (4 * Width), new(output.Address), Tokens));
        AttentionReference reference = Expect(
            DType.F16, 1, Tokens, Heads, Size, packed, packed[Width..], packed[(2 * Width)..], 3 * Width);
        Accuracy.Within(reference.Expected, reference.Bounds, output.Download(), "output");
    }

    [Fact]
    public void Unsupported_sizes_are_rejected()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new VisionAttention(DType.F16, 2, 72, 144, 64));
        Assert.Throws<ArgumentOutOfRangeException>(() => new VisionAttention(DType.F16, 2, 144, 288, 64));
        Assert.Throws<ArgumentOutOfRangeException>(() => new VisionAttention(DType.F16, 2, 64, 120, 64));
        Assert.Throws<ArgumentException>(() => new VisionAttention(DType.F16, 2, 16, 32, 32));
    }

    [Theory]
    [InlineData(7, 5)]
    [InlineData(8, 0)]
    [InlineData(9, 0)]
    public void Every_head_size_has_a_tile_on_every_architecture(int major, int minor)
    {
        for (int headSize = 16; headSize <= 128; headSize += 16)
            Assert.Equal(headSize, new VisionAttention(DType.F16, 1, headSize, headSize, FlashTile.ChooseKeys(new ComputeCapability(major, minor), headSize)).HeadSize);
    }

    [Fact]
    public void Cost_counts_operations_and_bytes_of_a_picture()
    {
        VisionAttention kernel = new(DType.BF16, 16, 64, 1024, 64);
        Assert.Equal(new KernelCost(4L * 1226 * 1024 * 2, 4L * 1226 * 1226 * 1024), kernel.Cost(1, 1226));
        Assert.Equal(new LaunchGeometry(new Dim3(20, 16, 3), 128, 24 * 1024), kernel.Geometry(3, 1226));
    }

    private void Check(DType storage, int images, int tokens, int heads, int headSize)
    {
        int width = heads * headSize, count = images * tokens * width;
        Compare(
            storage, images, tokens, heads, headSize, StoredFloats.Random(count, 11, storage, 1.5), StoredFloats.Random(count, 12, storage, 1.5),
            StoredFloats.Random(count, 13, storage), width);
    }

    private void Compare(
        DType storage, int images, int tokens, int heads, int headSize, float[] queries, float[] keys, float[] values, int stride)
    {
        VisionAttention kernel = new(storage, heads, headSize, stride, FlashTile.ChooseKeys(device.Capability, headSize));
        using DeviceFloats query = device.Upload(queries, storage);
        using DeviceFloats key = device.Upload(keys, storage);
        using DeviceFloats value = device.Upload(values, storage);
        using DeviceFloats output = device.Allocate(images * tokens * heads * headSize, storage);
        device.Run(
            kernel, kernel.Geometry(images, tokens), kernel.Arguments(new(query.Address), new(key.Address), new(value.Address), new(output.Address), tokens));
        AttentionReference reference = Expect(storage, images, tokens, heads, headSize, queries, keys, values, stride);
        Accuracy.Within(reference.Expected, reference.Bounds, output.Download(), "output");
    }

    private static AttentionReference Expect(
        DType storage, int images, int tokens, int heads, int headSize, float[] queries, float[] keys, float[] values, int stride)
    {
        AttentionReference reference = new(headSize, storage);
        for (int row = 0; row < images * tokens; row++)
            for (int head = 0; head < heads; head++)
            {
                int start = (row / tokens * tokens * stride) + (head * headSize);
                reference.Add(
                    queries.AsSpan((row * stride) + (head * headSize), headSize), tokens,
                    key => new ArraySegment<float>(keys, start + (key * stride), headSize),
                    key => new ArraySegment<float>(values, start + (key * stride), headSize));
            }
        return reference;
    }
}
