using System.Globalization;

namespace XComposer2.Native.Cuda;

/// <summary>A version of the CUDA toolkit: what a driver understands or an NVRTC belongs to.</summary>
public readonly record struct CudaVersion(int Major, int Minor)
{
    /// <summary>From the driver's and the toolkit's way of counting: 12040 is 12.4.</summary>
    public static CudaVersion FromNumber(int number) => new(number / 1000, number % 1000 / 10);

    public bool IsAtLeast(CudaVersion other) => Major > other.Major || (Major == other.Major && Minor >= other.Minor);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");
}
