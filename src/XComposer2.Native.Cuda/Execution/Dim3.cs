using System.Globalization;

namespace XComposer2.Native.Cuda;

/// <summary>Sizes of a grid, a block or a cluster, x first.</summary>
public readonly record struct Dim3(int X, int Y = 1, int Z = 1)
{
    public static implicit operator Dim3(int x) => new(x);

    public static Dim3 FromInt32(int x) => new(x);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{X}x{Y}x{Z}");
}
