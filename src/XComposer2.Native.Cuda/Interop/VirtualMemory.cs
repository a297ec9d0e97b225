using System.Runtime.InteropServices;

namespace XComposer2.Native.Cuda;

/// <summary>A <c>CUmemGenericAllocationHandle</c>.</summary>
internal readonly record struct AllocationHandle(ulong Value);

/// <summary><c>CUmemLocation</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MemoryLocation
{
    public MemoryLocationType Type;

    /// <summary>Ordinal of the device.</summary>
    public int Id;
}

/// <summary><c>CUmemLocationType</c>, the members in use.</summary>
internal enum MemoryLocationType
{
    Invalid = 0,
    Device = 1,
}

/// <summary><c>CUmemAllocationProp</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MemoryAllocationProperties
{
    public MemoryAllocationType Type;
    public int RequestedHandleTypes;
    public MemoryLocation Location;
    public nint Win32HandleMetaData;
    public ulong AllocFlags;

    /// <summary>Memory of a device, not shared with other processes.</summary>
    public static MemoryAllocationProperties OnDevice(int ordinal) => new()
    {
        Type = MemoryAllocationType.Pinned,
        Location = new MemoryLocation { Type = MemoryLocationType.Device, Id = ordinal },
    };
}

/// <summary><c>CUmemAllocationType</c>, the members in use.</summary>
internal enum MemoryAllocationType
{
    Invalid = 0,
    Pinned = 1,
}

/// <summary><c>CUmemAllocationGranularity_flags</c>.</summary>
internal enum AllocationGranularity
{
    Minimum = 0,
    Recommended = 1,
}

/// <summary><c>CUmemAccessDesc</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MemoryAccess
{
    public MemoryLocation Location;
    public MemoryAccessFlags Flags;

    public static MemoryAccess ReadWrite(MemoryLocation location) => new() { Location = location, Flags = MemoryAccessFlags.ReadWrite };
}

/// <summary><c>CUmemAccess_flags</c>, the members in use.</summary>
internal enum MemoryAccessFlags
{
    None = 0,
    ReadWrite = 3,
}
