using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Kernels that move rows: exact except for one rounding to 16-bit results.</summary>
public sealed class RowTests(GpuDevice device)
{
    public static TheoryData<DType> Storages => [DType.F32, DType.F16, DType.BF16];

    [Theory]
    [MemberData(nameof(Storages))]
    public void Text_rows_come_from_the_table_and_visual_rows_from_the_picture(DType storage)
    {
        const int Columns = 132, Vocabulary = 50, VisualRows = 3;
        float[] table = StoredFloats.Random(Vocabulary * Columns, 1, storage), visual = StoredFloats.Random(VisualRows * Columns, 2, DType.F32);
        int[] ids = [0, 7, 999, 49, -5, 3, 50], visualRow = [-1, -1, 2, -1, 0, -1, -1];
        float[] found = Embed(storage, Columns, table, visual, VisualRows, ids, visualRow);
        for (int token = 0; token < ids.Length - 1; token++)
            Assert.Equal(
                visualRow[token] >= 0 ? visual.AsSpan(visualRow[token] * Columns, Columns).ToArray() : table.AsSpan(ids[token] * Columns, Columns).ToArray(),
                found.AsSpan(token * Columns, Columns).ToArray());

        // An ID out of range does not read beyond the table.
        Assert.All(found.AsSpan(6 * Columns).ToArray(), value => Assert.True(float.IsNaN(value)));
        Assert.All(Embed(storage, Columns, table, visual, VisualRows, [1], [3]), value => Assert.True(float.IsNaN(value)));
        Assert.Equal(table.AsSpan(9 * Columns, Columns).ToArray(), Embed(storage, Columns, table, null, 0, [9], null));
    }

    [Fact]
    public void Rows_of_an_int8_table_are_its_integers_times_their_scale()
    {
        const int Columns = 132, Vocabulary = 50;
        Random random = new(1);
        sbyte[] table = [.. Enumerable.Range(0, Vocabulary * Columns).Select(_ => (sbyte)random.Next(-127, 128))];
        float[] scales = [.. Enumerable.Range(0, Vocabulary).Select(_ => random.NextSingle())];
        int[] ids = [0, 49, 3, 50];
        EmbedTokens kernel = new(DType.I8, Columns);
        using DeviceArray<int> tokens = device.Upload(ids);
        using DeviceArray<sbyte> rows = device.Upload(table);
        using DeviceArray<float> steps = device.Upload(scales);
        using DeviceFloats output = device.Allocate(ids.Length * Columns, DType.F32);
        device.Run(kernel, kernel.Geometry(ids.Length), new EmbedTokensArguments(
            new DevicePointer(tokens.Address), new DevicePointer(rows.Address), new DevicePointer(steps.Address), default, default, new DevicePointer(output.Address), (uint)ids.Length, Vocabulary, 0));
        float[] found = output.Download();
        for (int token = 0; token < ids.Length - 1; token++)
            Assert.Equal(Enumerable.Range(0, Columns).Select(column => table[(ids[token] * Columns) + column] * scales[ids[token]]), found.AsSpan(token * Columns, Columns).ToArray());
        Assert.All(found.AsSpan(3 * Columns).ToArray(), value => Assert.True(float.IsNaN(value)));
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Rows_are_selected_in_any_order(DType storage)
    {
        const int Columns = 256;
        float[] x = StoredFloats.Random(9 * Columns, 1, DType.F32);
        int[] rows = [8, 0, 0, 5, 9];
        SelectRows kernel = new(storage, Columns);
        using DeviceArray<float> input = device.Upload(x);
        using DeviceArray<int> index = device.Upload(rows);
        using DeviceFloats output = device.Allocate(rows.Length * Columns, storage);
        device.Run(kernel, kernel.Geometry(rows.Length), new SelectRowsArguments(
            new DevicePointer(input.Address), new DevicePointer(index.Address), new DevicePointer(output.Address), 9, (uint)rows.Length));
        float[] found = output.Download();
        for (int i = 0; i < 4; i++)
            Assert.Equal(x.AsSpan(rows[i] * Columns, Columns).ToArray().Select(value => StoredFloats.Round(value, storage)), found.AsSpan(i * Columns, Columns).ToArray());
        Assert.All(found.AsSpan(4 * Columns).ToArray(), value => Assert.True(float.IsNaN(value)));
    }

    [Theory]
    [MemberData(nameof(Storages))]
    public void Class_token_of_each_picture_is_removed(DType storage)
    {
        const int Columns = 64, Patches = 17, Images = 3;
        float[] x = StoredFloats.Random(Images * (Patches + 1) * Columns, 1, DType.F32);
        SelectPatches kernel = new(storage, Columns);
        using DeviceArray<float> input = device.Upload(x);
        using DeviceFloats output = device.Allocate(Images * Patches * Columns, storage);
        device.Run(kernel, kernel.Geometry(Images * Patches), new SelectPatchesArguments(
            new DevicePointer(input.Address), new DevicePointer(output.Address), Patches, Images * Patches));
        float[] found = output.Download();
        for (int row = 0; row < Images * Patches; row++)
            Assert.Equal(
                x.AsSpan((row + (row / Patches) + 1) * Columns, Columns).ToArray().Select(value => StoredFloats.Round(value, storage)),
                found.AsSpan(row * Columns, Columns).ToArray());
    }

    private float[] Embed(DType storage, int columns, float[] table, float[]? visual, int visualRows, int[] ids, int[]? visualRow)
    {
        EmbedTokens kernel = new(storage, columns);
        using DeviceArray<int> tokens = device.Upload(ids);
        using DeviceFloats rows = device.Upload(table, storage);
        using DeviceArray<float> pictures = device.Upload(visual ?? [0]);
        using DeviceArray<int> places = device.Upload(visualRow ?? [0]);
        using DeviceFloats output = device.Allocate(ids.Length * columns, DType.F32);
        device.Run(kernel, kernel.Geometry(ids.Length), new EmbedTokensArguments(
            new DevicePointer(tokens.Address),
            new DevicePointer(rows.Address),
            default,
            new DevicePointer(visual is null ? 0 : pictures.Address),
            new DevicePointer(visualRow is null ? 0 : places.Address),
            new DevicePointer(output.Address),
            (uint)ids.Length,
            (uint)(table.Length / columns),
            (uint)visualRows));
        return output.Download();
    }
}
