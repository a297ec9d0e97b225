using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>sampling/sample_token.cu</c> declares it.</summary>
/// <param name="Logits">F32 [rows, vocabulary].</param>
/// <param name="States"><see cref="SamplingState"/> [rows]; the step is counted.</param>
/// <param name="Seen">Bits of the ids chosen so far, <see cref="SampleToken.SeenBytes"/> a row; the chosen one is added. All zero before an answer.</param>
/// <param name="Ids">I32 [rows]: the chosen ids, where the next step reads them; 0 after a failure.</param>
/// <param name="Slots"><see cref="SampledToken"/> [rows, slotCount], mapped host memory.</param>
/// <param name="SlotCount">Step s is written to slot s % SlotCount of its row, so that so many steps may be under way. At least 1.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SampleTokenArguments(
    DevicePointer Logits, DevicePointer States, DevicePointer Seen, DevicePointer Ids, DevicePointer Slots, uint SlotCount);
