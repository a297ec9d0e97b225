using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Reads stored floats of any floating type as fp32; exact.</summary>
public static unsafe class FloatLoads
{
    /// <summary>Element <paramref name="index"/> counted from <paramref name="data"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Scalar(nint data, DType type, nint index) => type switch
    {
        DType.F32 => ((float*)data)[index],
        DType.BF16 => BitConverter.UInt32BitsToSingle((uint)((ushort*)data)[index] << 16),
        _ => (float)((Half*)data)[index],
    };

    /// <summary>One vector of elements from <paramref name="index"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Vector<TSimd, TVector>(nint data, DType type, nint index)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        if (type == DType.F32)
            return TSimd.Load((float*)data + index);
        return type == DType.BF16 ? TSimd.LoadBFloat16((ushort*)data + index) : TSimd.LoadHalf((ushort*)data + index);
    }

    /// <summary>Copies <paramref name="count"/> elements from <paramref name="index"/> on to <paramref name="destination"/>.</summary>
    public static void Widen<TSimd, TVector>(nint data, DType type, nint index, float* destination, nint count)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        if (type == DType.F32)
        {
            Buffer.MemoryCopy((float*)data + index, destination, count * sizeof(float), count * sizeof(float));
            return;
        }

        nint i = 0;
        for (; i <= count - TSimd.Count; i += TSimd.Count)
            TSimd.Store(Vector<TSimd, TVector>(data, type, index + i), destination + i);
        for (; i < count; i++)
            destination[i] = Scalar(data, type, index + i);
    }

    /// <summary>Refuses a matrix that is not of a floating type, not there, or not of the expected size.</summary>
    internal static void Require(FloatMatrix matrix, string name, int rows, int columns)
    {
        if (matrix.Data == 0)
            throw new ArgumentNullException(name);
        if (!matrix.Type.IsFloat())
            throw new ArgumentException($"expected a floating type, found {matrix.Type}", name);
        if (matrix.Rows != rows || matrix.Columns != columns)
            throw new ArgumentException($"expected [{rows}, {columns}], found [{matrix.Rows}, {matrix.Columns}]", name);
    }
}

/// <summary>Hints to fetch a cache line; any address is harmless. Nothing where the processor's hint is not offered.</summary>
internal static unsafe class Prefetch
{
    /// <summary>Into the second cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Far(byte* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(address);
    }
}
