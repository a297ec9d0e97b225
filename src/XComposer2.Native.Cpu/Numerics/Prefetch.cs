using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace XComposer2.Native.Cpu;

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
