using System.Globalization;

namespace XComposer2.Native.Cuda;

/// <summary>The generation of a GPU: 8.6 is sm_86.</summary>
public readonly record struct ComputeCapability(int Major, int Minor)
{
    /// <summary>As the compiler counts: 86, 90, 120.</summary>
    public int Number => (10 * Major) + Minor;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");
}
