using XComposer2.Native.Cuda;

namespace XComposer2.Native.EmulatedDeviceTests;

/// <summary>A mistake that the emulated device found.</summary>
/// <param name="Kind">Its name, for example "out_of_bounds".</param>
/// <param name="Kernel">The entry; empty for a mistake of the host.</param>
/// <param name="Message">A sentence.</param>
/// <param name="Address">What was accessed; 0 where nothing was.</param>
/// <param name="Block">Of the thread.</param>
/// <param name="Thread">In its block.</param>
public sealed record DeviceFault(string Kind, string Kernel, string Message, ulong Address, Dim3 Block, Dim3 Thread);
