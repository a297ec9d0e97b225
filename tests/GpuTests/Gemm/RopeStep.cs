using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>A packed projection whose queries are rotated and whose keys and values go to the second layer of a paged cache, with what it should leave
/// behind: every element of queries and of all pages, those that must not be touched included.</summary>
internal sealed class RopeStep
{
    private const int Layers = 2, Layer = 1, Theta = 10000;

    private readonly LinearCase one;
    private readonly AttentionGeometry heads;
    private readonly SequenceSpan[] sequences;
    private readonly int[] pageTable;

    /// <param name="one">The linear.</param>
    /// <param name="pastLengths">Of each sequence.</param>
    /// <param name="rowCounts">Of each sequence. Between two sequences a row belongs to none.</param>
    public RopeStep(LinearCase one, int[] pastLengths, int[] rowCounts)
    {
        this.one = one;
        heads = one.Form.Heads;
        sequences = new SequenceSpan[pastLengths.Length];
        int row = 0, page = 0;
        for (int i = 0; i < sequences.Length; i++)
        {
            sequences[i] = new SequenceSpan(row, rowCounts[i], pastLengths[i], page);
            row += rowCounts[i] + 1;
            page += sequences[i].PageCount;
        }
        // Neighbouring positions lie in pages that are no neighbours; page 0 is nobody's.
        pageTable = [.. Enumerable.Range(0, page).Select(entry => page - entry)];
    }

    private int PlaneElements => SequenceSpan.PageTokens * heads.HeadSize;

    private int LayerElements => 2 * heads.KeyValueHeads * PlaneElements;

    private int PageElements => Layers * LayerElements;

    private int Half => heads.HeadSize / 2;

    private int Positions => sequences.Max(sequence => sequence.Length);

    /// <summary>Runs a launch that is given the arrays' addresses, and compares.</summary>
    public void Check(GpuDevice device, Action<Arrays> launch)
    {
        DType storage = one.Form.Storage;
        int queryCount = one.Rows * heads.QueryColumns, pageCount = (pageTable.Length + 1) * PageElements;
        using DeviceFloats queries = device.Allocate(queryCount, storage);
        using DeviceFloats pages = device.Allocate(pageCount, storage);
        using DeviceArray<SequenceSpan> spans = device.Upload(sequences);
        using DeviceArray<int> table = device.Upload(pageTable);
        using DeviceArray<float> angles = device.Upload(Angles());
        launch(new Arrays(
            new DevicePointer(queries.Address), new DevicePointer(pages.Address) + ((long)Layer * LayerElements * storage.ElementBytes()),
            new DevicePointer(spans.Address), new DevicePointer(table.Address), new DevicePointer(angles.Address),
            (long)PageElements * storage.ElementBytes(), sequences.Length));
        (Expectation inQueries, Expectation inPages) = Expect(queryCount, pageCount);
        inQueries.Check(queries.Download(), $"queries, {one.Form}");
        inPages.Check(pages.Download(), $"pages, {one.Form}");
    }

    private (Expectation Queries, Expectation Pages) Expect(int queryCount, int pageCount)
    {
        Expectation queries = new(queryCount), pages = new(pageCount);
        (double[] sums, double[] bounds) = one.Product();
        int headSize = heads.HeadSize;
        for (int row = 0; row < one.Rows; row++)
            for (int column = 0; column < one.Form.OutFeatures; column++)
            {
                int head = column / headSize, keyValueHead = head / (heads.GroupSize + 2), member = head % (heads.GroupSize + 2);
                (double value, double bound) = Rotated(sums, bounds, row, one.Source(column), isRotated: member <= heads.GroupSize);
                bound += Accuracy.Stored(value, one.Form.Storage);
                if (member < heads.GroupSize)
                    queries.Set((row * heads.QueryColumns) + (((keyValueHead * heads.GroupSize) + member) * headSize) + (column % headSize), value, bound);
                else if (Place(row) is { } place)
                    pages.Set(place + ((member == heads.GroupSize ? keyValueHead : heads.KeyValueHeads + keyValueHead) * PlaneElements) + (column % headSize), value, bound);
            }
        return (queries, pages);
    }

    private (double Value, double Bound) Rotated(double[] sums, double[] bounds, int row, int column, bool isRotated)
    {
        int index = (row * one.Form.OutFeatures) + column;
        if (!isRotated) return (sums[index], bounds[index]);
        int dimension = column % heads.HeadSize % Half;
        bool isFirst = column % heads.HeadSize < Half;
        int partner = isFirst ? index + Half : index - Half;
        (float cosine, float sine) = Angle(Math.Max(0, Position(row)), dimension);
        double value = (sums[index] * cosine) + (sums[partner] * (isFirst ? -sine : sine));
        double rounding = 4 * Accuracy.Rounding(DType.F32) * (Math.Abs(sums[index]) + Math.Abs(sums[partner]));
        return (value, (bounds[index] * Math.Abs(cosine)) + (bounds[partner] * Math.Abs(sine)) + rounding);
    }

    // Element of the cache where the row's slot begins in plane 0; null for a row of no sequence.
    private int? Place(int row)
    {
        int position = Position(row);
        if (position < 0) return null;
        SequenceSpan sequence = sequences.First(span => Contains(span, row));
        int page = pageTable[sequence.FirstPage + (position / SequenceSpan.PageTokens)];
        return (page * PageElements) + (Layer * LayerElements) + (position % SequenceSpan.PageTokens * heads.HeadSize);
    }

    private int Position(int row)
    {
        foreach (SequenceSpan span in sequences)
            if (Contains(span, row)) return span.PastLength + row - span.FirstRow;
        return -1;
    }

    private static bool Contains(SequenceSpan span, int row) => row >= span.FirstRow && row < span.FirstRow + span.RowCount;

    private static (float Cosine, float Sine) Angle(int position, int dimension, int half) =>
        ((float)Math.Cos(position / Math.Pow(Theta, (double)dimension / half)), (float)Math.Sin(position / Math.Pow(Theta, (double)dimension / half)));

    private (float Cosine, float Sine) Angle(int position, int dimension) => Angle(position, dimension, Half);

    private float[] Angles()
    {
        float[] angles = new float[Positions * heads.HeadSize];
        for (int i = 0; i < angles.Length / 2; i++)
            (angles[2 * i], angles[(2 * i) + 1]) = Angle(i / Half, i % Half);
        return angles;
    }

    /// <summary>What a launch needs beside its operands.</summary>
    internal readonly record struct Arrays(
        DevicePointer Queries, DevicePointer Pages, DevicePointer Sequences, DevicePointer PageTable, DevicePointer RopeTable, long PageBytes, int SequenceCount);
}
