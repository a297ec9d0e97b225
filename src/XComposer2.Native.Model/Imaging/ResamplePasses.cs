using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace XComposer2.Native.Model;

/// <summary>
/// The two passes of a separable resize over interleaved 8-bit RGB. The row loops are optimised at their first call: a chat resizes one
/// picture, which would be over before the runtime had noticed that they are hot.
/// </summary>
internal static unsafe class ResamplePasses
{
    private const int Half = 1 << (BicubicWeights.FractionBits - 1);
    private const int RowsAtOnce = 4;
    private const int BytesAtOnce = 32;

    /// <summary>[height, width, 3] to [height, targets, 3].</summary>
    public static void Horizontal(RgbImage image, BicubicWeights weights, Span<byte> destination)
    {
        int targets = weights.Starts.Length;
        long sourceStride = 3L * image.Width;
        long targetStride = 3L * targets;
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, checked((int)(targetStride * image.Height)));
        fixed (byte* source = image.Pixels.Span)
        fixed (byte* target = destination)
        {
            // A pixel is read as four bytes; only behind the last row is there no fourth byte to read.
            int row = 0;
            for (; row + RowsAtOnce < image.Height; row += RowsAtOnce)
                HorizontalFourRows(source + row * sourceStride, sourceStride, weights, target + row * targetStride, targetStride);
            for (; row < image.Height; row++) HorizontalRow(source + row * sourceStride, weights, target + row * targetStride);
        }
    }

    /// <summary>[height, width, 3] to [targets, width, 3].</summary>
    public static void Vertical(RgbImage image, BicubicWeights weights, Span<byte> destination)
    {
        long stride = 3L * image.Width;
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, checked((int)(stride * weights.Starts.Length)));
        fixed (byte* source = image.Pixels.Span)
        fixed (byte* target = destination)
            for (int row = 0; row < weights.Starts.Length; row++)
                VerticalRow(source + weights.Starts[row] * stride, stride, weights.Of(row), target + row * stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void HorizontalFourRows(byte* source, long sourceStride, BicubicWeights weights, byte* target, long targetStride)
    {
        for (int column = 0; column < weights.Starts.Length; column++)
        {
            byte* pixel = source + 3L * weights.Starts[column];
            Vector128<int> row0 = Vector128.Create(Half), row1 = row0, row2 = row0, row3 = row0;
            foreach (int weight in weights.Of(column))
            {
                Vector128<int> factor = Vector128.Create(weight);
                row0 += factor * ReadPixel(pixel);
                row1 += factor * ReadPixel(pixel + sourceStride);
                row2 += factor * ReadPixel(pixel + 2 * sourceStride);
                row3 += factor * ReadPixel(pixel + 3 * sourceStride);
                pixel += 3;
            }
            byte* result = target + 3L * column;
            WritePixel(result, row0);
            WritePixel(result + targetStride, row1);
            WritePixel(result + 2 * targetStride, row2);
            WritePixel(result + 3 * targetStride, row3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void HorizontalRow(byte* source, BicubicWeights weights, byte* target)
    {
        for (int column = 0; column < weights.Starts.Length; column++)
        {
            byte* pixel = source + 3L * weights.Starts[column];
            int red = Half, green = Half, blue = Half;
            foreach (int weight in weights.Of(column))
            {
                red += weight * pixel[0];
                green += weight * pixel[1];
                blue += weight * pixel[2];
                pixel += 3;
            }
            *target++ = ToByte(red);
            *target++ = ToByte(green);
            *target++ = ToByte(blue);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void VerticalRow(byte* source, long stride, ReadOnlySpan<int> weights, byte* target)
    {
        long column = 0;
        for (; column + BytesAtOnce <= stride; column += BytesAtOnce)
        {
            byte* sample = source + column;
            Vector256<int> sum0 = Vector256.Create(Half), sum1 = sum0, sum2 = sum0, sum3 = sum0;
            foreach (int weight in weights)
            {
                Vector256<int> factor = Vector256.Create(weight);
                (Vector256<ushort> low, Vector256<ushort> high) = Vector256.Widen(Vector256.Load(sample));
                (Vector256<uint> samples0, Vector256<uint> samples1) = Vector256.Widen(low);
                (Vector256<uint> samples2, Vector256<uint> samples3) = Vector256.Widen(high);
                sum0 += factor * samples0.AsInt32();
                sum1 += factor * samples1.AsInt32();
                sum2 += factor * samples2.AsInt32();
                sum3 += factor * samples3.AsInt32();
                sample += stride;
            }
            Vector256<ushort> lowResult = Vector256.Narrow(Clip(sum0).AsUInt32(), Clip(sum1).AsUInt32());
            Vector256<ushort> highResult = Vector256.Narrow(Clip(sum2).AsUInt32(), Clip(sum3).AsUInt32());
            Vector256.Narrow(lowResult, highResult).Store(target + column);
        }
        for (; column < stride; column++)
        {
            byte* sample = source + column;
            int sum = Half;
            foreach (int weight in weights)
            {
                sum += weight * *sample;
                sample += stride;
            }
            target[column] = ToByte(sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> ReadPixel(byte* pixel)
    {
        Vector128<byte> four = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(pixel)).AsByte();
        return Vector128.WidenLower(Vector128.WidenLower(four)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WritePixel(byte* target, Vector128<int> sum)
    {
        Vector128<int> clipped = Vector128.Min(Vector128.Max(sum >> BicubicWeights.FractionBits, Vector128<int>.Zero), Vector128.Create(255));
        target[0] = (byte)clipped.GetElement(0);
        target[1] = (byte)clipped.GetElement(1);
        target[2] = (byte)clipped.GetElement(2);
    }

    private static Vector256<int> Clip(Vector256<int> sum) =>
        Vector256.Min(Vector256.Max(sum >> BicubicWeights.FractionBits, Vector256<int>.Zero), Vector256.Create(255));

    private static byte ToByte(int sum) => (byte)Math.Clamp(sum >> BicubicWeights.FractionBits, 0, 255);
}
