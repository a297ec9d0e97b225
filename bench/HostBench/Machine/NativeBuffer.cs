using System.Runtime.InteropServices;

namespace XComposer2.Native.HostBench;

/// <summary>Aligned native memory.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    public NativeBuffer(long bytes)
    {
        Bytes = bytes;
        Data = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
        new Span<byte>((void*)Data, (int)Math.Min(bytes, int.MaxValue)).Clear();
    }

    public long Bytes { get; }

    public nint Data { get; }

    public float* Floats => (float*)Data;

    /// <summary>Small numbers of either sign; both 16-bit halves are also valid bfloat16 and half values.</summary>
    public static NativeBuffer Random(long bytes, bool sixteenBit)
    {
        var buffer = new NativeBuffer(bytes);
        ulong state = 0x9E3779B97F4A7C15;
        if (sixteenBit)
            for (long i = 0; i < bytes / 2; i++)
                ((ushort*)buffer.Data)[i] = (ushort)(((Next(ref state) & 0x80FF) | 0x3C00) - ((Next(ref state) & 7) << 7));
        else
            for (long i = 0; i < bytes / 4; i++)
                buffer.Floats[i] = ((int)Next(ref state) >> 8) / 8388608f * 0.05f;
        return buffer;

        static ulong Next(ref ulong state)
        {
            state ^= state << 13;
            state ^= state >> 7;
            return state ^= state << 17;
        }
    }

    public void Dispose() => NativeMemory.AlignedFree((void*)Data);
}
