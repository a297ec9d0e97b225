using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Rotation of queries and keys, and what an int8 cache holds afterwards.</summary>
public sealed class RopeKvAppendTests(GpuDevice device)
{
    private const int Rows = 7, Positions = 140, Page = SequenceSpan.PageTokens;

    private const byte Untouched = 0x55;

    // The last of a page, two of the next; the first of a sequence; rows 4 and 6 are nobody's.
    private static readonly SequenceSpan[] spans = [new(0, 3, 127, 0), new(3, 1, 0, 3), new(5, 1, 70, 4)];

    private static readonly int[] pageTable = [5, 2, 6, 1, 4, 3];

    public static TheoryData<DType, AttentionGeometry> Geometries => new()
    {
        { DType.F16, new AttentionGeometry(8, 2, 128) }, { DType.BF16, new AttentionGeometry(8, 2, 128) }, { DType.F16, new AttentionGeometry(3, 3, 64) },
    };

    /// <summary>Rotation is a few roundings off, and a number half a step from its integer at most; where that is a tie, a step.</summary>
    [Theory]
    [MemberData(nameof(Geometries))]
    public void Heads_are_rotated_and_appended(DType storage, AttentionGeometry heads)
    {
        float[] packed = StoredFloats.Random(Rows * heads.PackedColumns, 1, DType.F32, 2);
        (float[] queries, byte[] pages) = Run(storage, heads, packed);
        int headSize = heads.HeadSize;
        for (int row = 0; row < Rows; row++)
            for (int head = 0; head < heads.PackedColumns / headSize; head++)
            {
                int group = head / (heads.GroupSize + 2), member = head % (heads.GroupSize + 2), position = PositionOf(row);
                double[] expected = Rotated(packed.AsSpan(((row * heads.PackedColumns) + (head * headSize)), headSize), Math.Max(0, position), member <= heads.GroupSize);
                if (member < heads.GroupSize)
                    for (int i = 0; i < headSize; i++)
                        Assert.InRange(queries[(row * heads.QueryColumns) + (((group * heads.GroupSize) + member) * headSize) + i] - expected[i], -Bound(expected[i], storage), Bound(expected[i], storage));
                else if (position >= 0)
                    CheckPlane(pages, heads, row, (member == heads.GroupSize ? 0 : heads.KeyValueHeads) + group, expected);
            }
        for (int row = 0; row < Rows; row++)
            for (int plane = 0; plane < 2 * heads.KeyValueHeads && PositionOf(row) >= 0; plane++)
            {
                int token = PositionOf(row) % Page, start = PlaneOf(heads, row, plane);
                pages.AsSpan(start + (token * headSize), headSize).Fill(Untouched);
                pages.AsSpan(start + (Page * headSize) + (token * sizeof(float)), sizeof(float)).Fill(Untouched);
            }
        Assert.DoesNotContain(pages, value => value != Untouched);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void A_number_that_is_not_finite_makes_the_scale_not_a_number(float value)
    {
        AttentionGeometry heads = new(8, 2, 128);
        float[] packed = new float[Rows * heads.PackedColumns];
        packed[(heads.GroupSize * heads.HeadSize) + 77] = value;
        (_, byte[] pages) = Run(DType.F16, heads, packed);
        Assert.True(float.IsNaN(ScaleOf(pages, heads, 0, 0)));
        Assert.Equal(0, ScaleOf(pages, heads, 0, 1));
    }

    private static double Bound(double value, DType storage) => Accuracy.Stored(value, storage) + 1e-5;

    private static void CheckPlane(byte[] pages, AttentionGeometry heads, int row, int plane, double[] expected)
    {
        float scale = ScaleOf(pages, heads, row, plane);
        double largest = expected.Max(Math.Abs) / 127;
        Assert.InRange(scale, largest * (1 - 1e-5), largest * (1 + 1e-5));
        int start = PlaneOf(heads, row, plane) + (PositionOf(row) % Page * heads.HeadSize);
        for (int i = 0; i < expected.Length; i++)
            Assert.InRange((unchecked((sbyte)pages[start + i]) * scale) - expected[i], -0.501 * scale, 0.501 * scale);
    }

    private static float ScaleOf(byte[] pages, AttentionGeometry heads, int row, int plane) =>
        BitConverter.ToSingle(pages, PlaneOf(heads, row, plane) + (Page * heads.HeadSize) + (PositionOf(row) % Page * sizeof(float)));

    private static int PlaneOf(AttentionGeometry heads, int row, int plane)
    {
        SequenceSpan span = spans.First(span => row >= span.FirstRow && row < span.FirstRow + span.RowCount);
        int planeBytes = Page * (heads.HeadSize + sizeof(float));
        return ((pageTable[span.FirstPage + (PositionOf(row) / Page)] * 2 * heads.KeyValueHeads) + plane) * planeBytes;
    }

    private static int PositionOf(int row)
    {
        foreach (SequenceSpan span in spans)
            if (row >= span.FirstRow && row < span.FirstRow + span.RowCount)
                return span.PastLength + row - span.FirstRow;
        return -1;
    }

    private static double[] Rotated(ReadOnlySpan<float> head, int position, bool isRotated)
    {
        double[] values = new double[head.Length];
        for (int i = 0; i < head.Length; i++)
        {
            int half = head.Length / 2, pair = i % half;
            (double sine, double cosine) = isRotated ? Math.SinCos(Angle(position, pair, half)) : (0, 1);
            values[i] = i < half ? (head[pair] * cosine) - (head[pair + half] * sine) : (head[pair + half] * cosine) + (head[pair] * sine);
        }
        return values;
    }

    private static double Angle(int position, int pair, int half) => position / Math.Pow(10000, (double)pair / half);

    private (float[] Queries, byte[] Pages) Run(DType storage, AttentionGeometry heads, float[] packed)
    {
        RopeKvAppend kernel = new(storage, heads);
        int half = heads.HeadSize / 2, layerBytes = 2 * heads.KeyValueHeads * Page * (heads.HeadSize + sizeof(float));
        float[] angles = new float[Positions * heads.HeadSize];
        for (int i = 0; i < angles.Length / 2; i++)
            (angles[2 * i], angles[(2 * i) + 1]) = ((float)Math.Cos(Angle(i / half, i % half, half)), (float)Math.Sin(Angle(i / half, i % half, half)));
        byte[] before = new byte[7 * layerBytes];
        Array.Fill(before, Untouched);
        using DeviceArray<float> input = device.Upload(packed), rope = device.Upload(angles);
        using DeviceArray<byte> pages = device.Upload(before);
        using DeviceArray<SequenceSpan> sequences = device.Upload(spans);
        using DeviceArray<int> table = device.Upload(pageTable);
        using DeviceFloats queries = device.Allocate(Rows * heads.QueryColumns, storage);
        device.Run(kernel, kernel.Geometry(Rows), new RopeKvAppendArguments(
            new DevicePointer(input.Address), new DevicePointer(queries.Address), new DevicePointer(rope.Address), new DevicePointer(pages.Address), layerBytes,
            new DevicePointer(sequences.Address), new DevicePointer(table.Address), Rows, spans.Length));
        return (queries.Download(), pages.Download());
    }
}
