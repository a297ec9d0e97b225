using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>Chooses the device.</summary>
internal static class Backends
{
    private const int MaximumThreads = 1024;

    /// <exception cref="EngineException">The device is not there, or the number of threads is out of range.</exception>
    public static IBackend Create(DeviceKind device, int? threads)
    {
        if (threads is < 1 or > MaximumThreads)
            throw new EngineException($"threads: expected 1 to {MaximumThreads}, found {threads}");
        return device is DeviceKind.Auto or DeviceKind.Cpu
            ? new CpuBackend(threads)
            : throw new EngineException($"device: expected one of {string.Join(", ", Enum.GetNames<DeviceKind>())}, found {device}");
    }
}
