namespace XComposer2.Native.Cuda;

/// <summary>What a <see cref="TensorMap"/> is made from. Sizes are innermost first, as TMA counts.</summary>
public readonly ref struct TensorMapLayout
{
    /// <summary>A multiple of 16 bytes.</summary>
    public required DevicePointer Start { get; init; }

    public required TensorMapType Type { get; init; }

    /// <summary>Elements of each dimension, innermost first.</summary>
    public required ReadOnlySpan<ulong> Sizes { get; init; }

    /// <summary>Bytes from one to the next in each dimension but the innermost; multiples of 16.</summary>
    public required ReadOnlySpan<ulong> StridesBytes { get; init; }

    /// <summary>Elements of each dimension that one copy takes, at most 256.</summary>
    public required ReadOnlySpan<uint> Box { get; init; }

    public TensorMapInterleave Interleave { get; init; }

    public TensorMapSwizzle Swizzle { get; init; }

    public TensorMapPromotion Promotion { get; init; }

    public TensorMapFill Fill { get; init; }

    internal string Describe() =>
        $"{Type} at {Start}, sizes {List(Sizes)}, strides {List(StridesBytes)} bytes, box {List(Box)}, swizzle {Swizzle}, interleave {Interleave}";

    private static string List<T>(ReadOnlySpan<T> values) => $"[{string.Join(", ", values.ToArray())}]";
}
