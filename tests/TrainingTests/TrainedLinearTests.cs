using System.Runtime.InteropServices;
using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;
using Xunit;

namespace XComposer2.Native.TrainingTests;

/// <summary>The linear of training's forward pass, and narrow products, against sums in double.</summary>
public sealed unsafe class TrainedLinearTests : IDisposable
{
    private readonly WorkerPool pool = new(2);
    private readonly byte[] scratch = GC.AllocateUninitializedArray<byte>(16 << 20, pinned: true);
    private readonly Random random = new(11);

    public void Dispose() => pool.Dispose();

    public static TheoryData<int, int, int, int, DType> Sizes => new()
    {
        { 1, 1, 1, 0, DType.F32 }, { 3, 5, 7, 2, DType.F32 }, { 37, 67, 53, 16, DType.F32 }, { 193, 256, 48, 16, DType.F32 }, { 200, 513, 100, 33, DType.F32 }, { 40, 272, 16, 1, DType.F32 }, { 40, 272, 31, 8, DType.F32 },
        { 37, 67, 53, 16, DType.BF16 }, { 37, 66, 53, 16, DType.F16 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Linear_is_the_sum_in_double_at_every_vector_width(int rows, int inputs, int outputs, int rank, DType type)
    {
        float[] x = Values(rows * inputs), residual = Values(rows * outputs);
        Matrix w = Stored(type, outputs, inputs), bias = Stored(type, 1, outputs), a = Stored(type, Math.Max(1, rank), inputs), b = Stored(type, outputs, Math.Max(1, rank));
        int[] visual = [.. Enumerable.Range(0, rows).Select(row => row % 5 < 3 ? row : -1)];
        double[] expected = new double[rows * outputs];
        for (int row = 0; row < rows; row++)
            for (int output = 0; output < outputs; output++)
            {
                double sum = residual[(row * outputs) + output] + bias.Values[output];
                for (int i = 0; i < inputs; i++)
                    sum += (double)x[(row * inputs) + i] * w.Values[(output * inputs) + i];
                for (int r = 0; r < rank && visual[row] >= 0; r++)
                    for (int i = 0; i < inputs; i++)
                        sum += 0.5 * x[(row * inputs) + i] * a.Values[(r * inputs) + i] * b.Values[(output * rank) + r];
                expected[(row * outputs) + output] = sum;
            }

        foreach (VectorWidth width in (VectorWidth[])[VectorWidth.Bits128, VectorWidth.Bits256, VectorWidth.Bits512])
        {
            float[] found = new float[rows * outputs];
            LoraMatrices? lora = rank == 0 ? null : new LoraMatrices(WeightMatrix.Of(a.Stored), WeightMatrix.Of(b.Stored), 0.5f);
            fixed (float* input = x, added = residual, output = found)
            fixed (int* visualRow = visual)
            fixed (byte* memory = scratch)
                TrainedLinearKernel.Run(input, rows, w.Stored, bias.Stored, added, lora, visualRow, output, memory, TrainedLinearKernel.ScratchBytes(rows, rank, pool.Threads), pool, width);
            Assert.InRange(Distance(found, expected), 0, 1e-6);
        }
    }

    [Fact]
    public void Rows_without_a_visual_token_are_those_without_partial_lora_to_the_bit()
    {
        const int Rows = 70, Inputs = 64, Outputs = 96, Rank = 16;
        float[] x = Values(Rows * Inputs);
        Matrix w = Stored(DType.F32, Outputs, Inputs), a = Stored(DType.F32, Rank, Inputs), b = Stored(DType.F32, Outputs, Rank);
        int[] visual = [.. Enumerable.Range(0, Rows).Select(row => row is >= 20 and < 40 ? row - 20 : -1)];
        float[] plain = Run(null), adapted = Run(new LoraMatrices(WeightMatrix.Of(a.Stored), WeightMatrix.Of(b.Stored), 1));
        for (int row = 0; row < Rows; row++)
            Assert.Equal(visual[row] < 0, plain.AsSpan(row * Outputs, Outputs).SequenceEqual(adapted.AsSpan(row * Outputs, Outputs)));

        float[] Run(LoraMatrices? lora)
        {
            float[] found = new float[Rows * Outputs];
            fixed (float* input = x, output = found)
            fixed (int* visualRow = visual)
            fixed (byte* memory = scratch)
                TrainedLinearKernel.Run(input, Rows, w.Stored, null, null, lora, visualRow, output, memory, scratch.Length, pool);
            return found;
        }
    }

    [Fact]
    public void Adapters_of_other_sizes_are_refused()
    {
        float[] x = Values(4 * 8);
        Matrix w = Stored(DType.F32, 6, 8), a = Stored(DType.F32, 2, 7), b = Stored(DType.F32, 6, 2);
        int[] visual = [0, 1, 2, 3];
        ArgumentException problem = Assert.Throws<ArgumentException>(() =>
        {
            float[] found = new float[4 * 6];
            fixed (float* input = x, output = found)
            fixed (int* visualRow = visual)
            fixed (byte* memory = scratch)
                TrainedLinearKernel.Run(input, 4, w.Stored, null, null, new LoraMatrices(WeightMatrix.Of(a.Stored), WeightMatrix.Of(b.Stored), 1), visualRow, output, memory, scratch.Length, pool);
        });
        Assert.Contains("expected [2, 8], found [2, 7]", problem.Message, StringComparison.Ordinal);
    }

    private static double Distance(float[] found, double[] expected)
    {
        double difference = 0, size = 0;
        for (int i = 0; i < found.Length; i++)
        {
            difference += (found[i] - expected[i]) * (found[i] - expected[i]);
            size += expected[i] * expected[i];
        }

        return Math.Sqrt(difference / size);
    }

    private float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2) - 1))];

    private Matrix Stored(DType type, int rows, int columns)
    {
        float[] values = Values(rows * columns);
        byte[] bytes = GC.AllocateUninitializedArray<byte>(values.Length * (type == DType.F32 ? 4 : 2), pinned: true);
        for (int i = 0; i < values.Length; i++)
        {
            Span<byte> to = bytes.AsSpan(i * (type == DType.F32 ? 4 : 2));
            switch (type)
            {
                case DType.F32:
                    MemoryMarshal.Write(to, values[i]);
                    break;
                case DType.F16:
                    values[i] = (float)(Half)values[i];
                    MemoryMarshal.Write(to, (Half)values[i]);
                    break;
                default:
                    ushort upper = (ushort)(BitConverter.SingleToUInt32Bits(values[i]) >> 16);
                    values[i] = BitConverter.UInt32BitsToSingle((uint)upper << 16);
                    MemoryMarshal.Write(to, upper);
                    break;
            }
        }

        return new Matrix(bytes, values, new FloatMatrix(Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0), type, rows, columns));
    }

    // Holds on to the pinned bytes.
    private sealed record Matrix(byte[] Bytes, float[] Values, FloatMatrix Stored);
}
