using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.GpuTests;

/// <summary>Floating numbers of a storage type in device memory. Owns the bytes.</summary>
public sealed class DeviceFloats(DeviceArray<byte> bytes, DType storage) : IDisposable
{
    public DType Storage => storage;

    public ulong Address => bytes.Address;

    public float[] Download() => StoredFloats.Decode(bytes.Download(), storage);

    public void Dispose() => bytes.Dispose();
}
