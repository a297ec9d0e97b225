using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>As <c>decode/advance_step.cu</c> declares it.</summary>
/// <param name="Sequences">SequenceSpan [sequences]; their past lengths grow.</param>
/// <param name="Ids">I32 [sequences]: what the step chose.</param>
/// <param name="StopIds">I32 [stopCount].</param>
/// <param name="Finished">U32 [sequences]: 1 where an answer has ended; 0 before it begins.</param>
/// <param name="SequenceCount">At least 1.</param>
/// <param name="StopCount">0 where no id ends an answer.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct AdvanceStepArguments(
    DevicePointer Sequences, DevicePointer Ids, DevicePointer StopIds, DevicePointer Finished, uint SequenceCount, uint StopCount);
