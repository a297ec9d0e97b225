using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Scratch of one operation in the arena.</summary>
internal readonly unsafe struct CpuScratch(ArenaSlot slot)
{
    public long Bytes => slot.Bytes;

    public void* Address(in CpuRun run) => slot.Bytes == 0 ? null : run.Arena + slot.OffsetBytes;
}
