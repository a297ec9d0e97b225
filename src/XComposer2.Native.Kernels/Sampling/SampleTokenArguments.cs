using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>The argument of <see cref="SampleToken"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SampleTokenArguments
{
    /// <summary>F32 [rows, vocabulary].</summary>
    public DevicePointer Logits;

    /// <summary><see cref="SamplingState"/> [rows]; the step is counted.</summary>
    public DevicePointer States;

    /// <summary>Bits [rows, <see cref="SampleToken.SeenBytes"/>] of the ids chosen so far; the chosen one is added. All zero before an answer.</summary>
    public DevicePointer Seen;

    /// <summary>I32 [rows]: the chosen ids, where the next step reads them; 0 after a failure.</summary>
    public DevicePointer Ids;

    /// <summary><see cref="SampledToken"/> [rows, slots]: mapped host memory.</summary>
    public DevicePointer Slots;

    /// <summary>Slots of a row: step s is written to slot s % SlotCount, so that this many steps may be under way.</summary>
    public uint SlotCount;

    private readonly uint reserved;
}
