using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

public sealed class PatchEmbeddingTests(GpuDevice device)
{
    public static TheoryData<DType, int, int, int, int> Pictures
    {
        get
        {
            TheoryData<DType, int, int, int, int> data = [];
            foreach (DType storage in (DType[])[DType.F32, DType.F16, DType.BF16])
            {
                // One patch; patches of 588 elements, several pictures per tile, pixels beyond whole patches, outputs beyond a tile; depths of 3, 27 and 147.
                data.Add(storage, 1, 14, 14, 8);
                data.Add(storage, 3, 59, 14, 70);
                data.Add(storage, 2, 84, 14, 128);
                data.Add(storage, 1, 9, 1, 65);
                data.Add(storage, 2, 31, 3, 33);
                data.Add(storage, 1, 60, 7, 64);
            }

            // The published picture size and depth, with few outputs to limit the run time.
            data.Add(DType.F16, 1, 490, 14, 32);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Pictures))]
    public void Patch_embedding_matches_doubles(DType storage, int images, int imageSize, int patchSize, int width)
    {
        if (!device.Supports(storage)) Assert.Skip($"{storage} has no tensor cores on {device.Capability}");
        PatchEmbedding kernel = new(storage, imageSize, patchSize, width);
        int depth = 3 * patchSize * patchSize, rows = kernel.Patches + 1;
        float[] pixels = StoredFloats.Random(images * 3 * imageSize * imageSize, 1, DType.F32);
        float[] weight = StoredFloats.Random(width * depth, 2, storage, 0.1);
        float[] classToken = StoredFloats.Random(width, 3, DType.F32), positions = StoredFloats.Random(rows * width, 4, DType.F32);
        using DeviceArray<float> devicePixels = device.Upload(pixels), deviceClass = device.Upload(classToken), devicePositions = device.Upload(positions);
        using DeviceFloats deviceWeight = device.Upload(weight, storage);
        using DeviceArray<float> found = device.Allocate<float>(images * rows * width);
        device.Run(kernel, kernel.Geometry(images), new PatchEmbeddingArguments(
            new(devicePixels.Address), new(deviceWeight.Address), new(deviceClass.Address), new(devicePositions.Address), new(found.Address), (uint)images));

        double[] expected = new double[images * rows * width], bounds = new double[expected.Length];
        for (int row = 0; row < images * rows; row++)
            for (int column = 0; column < width; column++)
            {
                double sum = classToken[column], bound = 0;
                if (row % rows != 0) (sum, bound) = Product(storage, kernel, pixels, row / rows, (row % rows) - 1, weight.AsSpan(column * depth, depth));
                double value = sum + positions[(row % rows * width) + column];
                int index = (row * width) + column;
                expected[index] = value;
                // The position is one more term, added with one more rounding.
                bounds[index] = bound + (Accuracy.Rounding(DType.F32) * (Math.Abs(value) + Math.Abs(sum)));
            }

        Accuracy.Within(expected, bounds, found.Download(), "row and column");
    }

    /// <summary>Pixels are rounded to the weights' type, to nearest even, before they are multiplied.</summary>
    private static (double Sum, double Bound) Product(DType storage, PatchEmbedding kernel, float[] pixels, int image, int patch, ReadOnlySpan<float> weight)
    {
        int size = kernel.ImageSize, patchSize = kernel.PatchSize, grid = size / patchSize;
        ProductSum sum = default;
        for (int k = 0; k < weight.Length; k++)
        {
            int channel = k / (patchSize * patchSize), y = (patch / grid * patchSize) + (k / patchSize % patchSize), x = (patch % grid * patchSize) + (k % patchSize);
            sum.Add((double)StoredFloats.Round(pixels[(((image * 3) + channel) * size * size) + (y * size) + x], storage) * weight[k]);
        }

        return (sum.Value, sum.Bound(storage));
    }
}
