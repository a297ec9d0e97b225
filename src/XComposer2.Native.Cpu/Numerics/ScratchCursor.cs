namespace XComposer2.Native.Cpu;

/// <summary>Hands out aligned pieces of a caller's scratch memory. Does not own it.</summary>
internal unsafe ref struct ScratchCursor
{
    private const long AlignmentBytes = 64;

    private byte* next;

    private readonly byte* end;

    public ScratchCursor(void* scratch, long scratchBytes)
    {
        next = (byte*)scratch;
        end = next + scratchBytes;
    }

    /// <summary>Room to ask for so that <paramref name="floats"/> fit wherever the scratch begins.</summary>
    public static long BytesFor(long floats) => Padded(checked(floats * sizeof(float))) + AlignmentBytes;

    /// <summary>The next <paramref name="floats"/> floats, 64-byte aligned, not cleared.</summary>
    public float* Floats(long floats)
    {
        byte* start = (byte*)(((nint)next + (nint)AlignmentBytes - 1) & ~((nint)AlignmentBytes - 1));
        long bytes = Padded(floats * sizeof(float));
        if (next is null || start + bytes > end)
            throw new ArgumentException($"scratch ends {bytes - (end - start)} bytes too early; ask the kernel's ScratchBytes");
        next = start + bytes;
        return (float*)start;
    }

    private static long Padded(long bytes) => (bytes + AlignmentBytes - 1) & ~(AlignmentBytes - 1);
}
