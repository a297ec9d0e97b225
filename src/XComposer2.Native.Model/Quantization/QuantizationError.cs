using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>What integers lose of a matrix.</summary>
internal static unsafe class QuantizationError
{
    /// <summary>Root of the squared differences over that of the squared weights; 0 of a matrix of zeros.</summary>
    public static double RelativeL2(HostTensor weights, WeightFormat format, IQuantizedMatrix integers)
    {
        (int rows, int columns) = (weights.Shape[0], weights.Shape[1]);
        double[] errors = new double[rows], norms = new double[rows];
        Parallel.For(0, rows, row =>
        {
            float[] exact = new float[columns], found = new float[columns];
            FloatWidening.Widen(weights, (long)row * columns, exact);
            IntegerWidening.Widen(integers, format, row, found);
            double error = 0, norm = 0;
            for (int i = 0; i < columns; i++)
            {
                double difference = found[i] - exact[i];
                error += difference * difference;
                norm += (double)exact[i] * exact[i];
            }

            (errors[row], norms[row]) = (error, norm);
        });
        double total = norms.Sum();
        return total == 0 ? 0 : Math.Sqrt(errors.Sum() / total);
    }
}

/// <summary>A row of integers as floats, with scales and zero points applied.</summary>
internal static unsafe class IntegerWidening
{
    /// <param name="matrix">Of any format of integers.</param>
    /// <param name="format">Its format.</param>
    /// <param name="row">Which row.</param>
    /// <param name="values">[columns].</param>
    public static void Widen(IQuantizedMatrix matrix, WeightFormat format, int row, Span<float> values)
    {
        int columns = values.Length, groups = format.Groups(columns), bits = format.Elements.ElementBits();
        byte* packed = (byte*)matrix[WeightPart.Elements].Data + (row * format.Elements.Bytes(columns));
        nint first = (nint)row * groups, scales = matrix[WeightPart.Scales].Data;
        byte* zeros = format.HasZeroPoints ? (byte*)matrix[WeightPart.ZeroPoints].Data + first : null;
        int* index = format.HasGroupIndex ? (int*)matrix[WeightPart.GroupIndex].Data : null;
        for (int column = 0; column < columns; column++)
        {
            int group = index is not null ? index[column] : format.GroupSize == 0 ? 0 : column / format.GroupSize;
            float scale = format.ScaleType == DType.F32 ? ((float*)scales)[first + group] : (float)((Half*)scales)[first + group];
            int value = bits == 8 ? packed[column] : (packed[column / 2] >> (4 * (column % 2))) & 0xF;
            if (!format.HasZeroPoints && value >= 1 << (bits - 1))
                value -= 1 << bits;
            values[column] = (value - (zeros is null ? 0 : zeros[group])) * scale;
        }
    }
}
