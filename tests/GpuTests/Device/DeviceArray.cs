using System.Runtime.CompilerServices;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.GpuTests;

/// <summary>Owned device memory of so many elements.</summary>
public sealed class DeviceArray<T> : IDisposable
    where T : unmanaged
{
    private readonly GpuDevice device;
    private readonly DeviceMemory memory;

    private DeviceArray(GpuDevice device, int count)
    {
        this.device = device;
        Count = count;
        // The driver gives no memory of no bytes; kernels may be given an array without elements.
        memory = DeviceMemory.Allocate(device.Context, Math.Max(1, (long)count * Unsafe.SizeOf<T>()));
    }

    public int Count { get; }

    public ulong Address => memory.Span.Pointer.Address;

    public T[] Download()
    {
        T[] values = new T[Count];
        if (Count > 0) device.Stream.CopyToHost<T>(values, memory.Span);
        return values;
    }

    public void Dispose() => memory.Dispose();

    internal static DeviceArray<T> Upload(GpuDevice device, ReadOnlySpan<T> values)
    {
        DeviceArray<T> array = new(device, values.Length);
        if (values.Length > 0) device.Stream.CopyToDevice(array.memory.Span, values);
        return array;
    }

    internal static DeviceArray<T> Allocate(GpuDevice device, int count)
    {
        DeviceArray<T> array = new(device, count);
        device.Stream.Fill(array.memory.Span, 0xFF);
        device.Stream.Synchronize();
        return array;
    }
}
