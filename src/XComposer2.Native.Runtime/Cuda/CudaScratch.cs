using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Scratch of one operation in the arena.</summary>
internal readonly struct CudaScratch(ArenaSlot slot)
{
    public long Bytes => slot.Bytes;

    public DeviceSpan Span(in CudaRun run) => slot.Bytes == 0 ? default : new DeviceSpan(run.Arena + slot.OffsetBytes, slot.Bytes);
}
