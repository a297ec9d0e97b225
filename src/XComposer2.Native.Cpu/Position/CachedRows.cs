using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Stores one token's keys or values of one head in the formats that vectors do not store directly. The same bits at every vector width.</summary>
internal static unsafe class CachedRows
{
    private const float Limit = 127;

    /// <param name="format">F16, or integers with scales.</param>
    /// <param name="row">[headSize].</param>
    /// <param name="headSize">Floats of the row.</param>
    /// <param name="head">First byte of the head in its page.</param>
    /// <param name="token">0 to 63.</param>
    /// <exception cref="NotSupportedException">The format has no code here.</exception>
    public static void Store(CacheFormat format, float* row, int headSize, nint head, int token)
    {
        nint first = token * (nint)headSize;
        switch (format.Elements)
        {
            case DType.F16:
                StoreHalf(row, headSize, (Half*)head + first);
                break;
            case DType.I8:
                KvLayerView.Scales(head, headSize)[token] = StoreInt8(row, headSize, (sbyte*)head + first);
                break;
            default:
                throw new NotSupportedException($"the processor has no code to append to a cache of {format}");
        }
    }

    // A finite number beyond the range becomes the largest one: infinity would make every later score NaN.
    private static void StoreHalf(float* row, int count, Half* destination)
    {
        for (int i = 0; i < count; i++)
        {
            var half = (Half)row[i];
            destination[i] = Half.IsInfinity(half) && float.IsFinite(row[i]) ? (row[i] < 0 ? Half.MinValue : Half.MaxValue) : half;
        }
    }

    /// <returns>The scale; NaN where a number is NaN or infinite, so that it is not lost.</returns>
    private static float StoreInt8(float* row, int count, sbyte* destination)
    {
        float largest = 0;
        for (int i = 0; i < count; i++)
            largest = MathF.Max(largest, MathF.Abs(row[i]));
        float scale = largest / Limit;
        bool isUsable = scale > 0 && float.IsFinite(scale);
        for (int i = 0; i < count; i++)
            destination[i] = isUsable ? (sbyte)MathF.Round(Math.Clamp(row[i] / scale, -Limit, Limit), MidpointRounding.ToEven) : (sbyte)0;
        return float.IsFinite(scale) ? scale : float.NaN;
    }
}
