using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>Floating numbers of a storage type in device memory. Owns the bytes.</summary>
public sealed class DeviceFloats(DeviceArray<byte> bytes, KernelStorage storage) : IDisposable
{
    public KernelStorage Storage => storage;

    public ulong Address => bytes.Address;

    public float[] Download() => StoredFloats.Decode(bytes.Download(), storage);

    public void Dispose() => bytes.Dispose();
}
