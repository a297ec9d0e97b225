using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>After a decode step: every sequence is as many tokens longer as it had rows, unless its answer has ended; and it ends at a stop id.</summary>
public sealed record AdvanceStep : KernelDefinition
{
    private const int SpanBytes = 16;

    public override string Source => "decode/advance_step.cu";

    public override int ArgumentBytes => Unsafe.SizeOf<AdvanceStepArguments>();

    public override int BlockThreads => 128;

    protected override IEnumerable<(string Name, string Value)> Definitions => [];

    /// <summary>One thread a sequence.</summary>
    public LaunchGeometry Geometry(int sequences)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequences, 1);
        return new LaunchGeometry((sequences + BlockThreads - 1) / BlockThreads, BlockThreads);
    }

    public static KernelCost Cost(int sequences) => new(sequences * (long)(SpanBytes + sizeof(int) + sizeof(uint) + sizeof(int)), 0);
}

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
