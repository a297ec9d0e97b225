using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>A native array of zero-terminated UTF-8 strings.</summary>
internal sealed unsafe class Utf8Strings : IDisposable
{
    private readonly int count;
    private byte** pointers;

    public Utf8Strings(IReadOnlyList<string> texts)
    {
        count = texts.Count;
        pointers = (byte**)NativeMemory.AllocZeroed((nuint)Math.Max(count, 1), (nuint)sizeof(byte*));
        for (int index = 0; index < count; index++)
            pointers[index] = (byte*)Marshal.StringToCoTaskMemUTF8(texts[index]);
    }

    public byte** Pointers => pointers;

    public void Dispose()
    {
        if (pointers == null) return;
        for (int index = 0; index < count; index++)
            Marshal.FreeCoTaskMem((nint)pointers[index]);
        NativeMemory.Free(pointers);
        pointers = null;
    }
}
