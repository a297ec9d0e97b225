using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Scratch of one operation in the arena.</summary>
internal readonly struct CudaScratch(ArenaSlot slot)
{
    public long Bytes => slot.Bytes;

    public ulong Address(in CudaRun run) => slot.Bytes == 0 ? 0 : (run.Arena + slot.OffsetBytes).Address;
}
