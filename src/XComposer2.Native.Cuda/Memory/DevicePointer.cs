using System.Globalization;

namespace XComposer2.Native.Cuda;

/// <summary>An address on the device.</summary>
public readonly record struct DevicePointer(ulong Address)
{
    public static DevicePointer operator +(DevicePointer start, long offsetBytes) => start.Add(offsetBytes);

    /// <summary>So many bytes further.</summary>
    public DevicePointer Add(long offsetBytes) => new(unchecked(Address + (ulong)offsetBytes));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"0x{Address:x}");
}
