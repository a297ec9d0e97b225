using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.HostBench;

/// <summary>The linears of the supported networks, and square ones for comparison with other programs.</summary>
internal static class LinearShapes
{
    public static IReadOnlyList<LinearShape> All { get; } =
    [
        new("square", 1024, 1024, 1024, DType.F32),
        new("square", 2048, 2048, 2048, DType.F32),
        new("7B wqkv", 512, 4096, 6144, DType.F32),
        new("vision qkv, out", 1226, 1024, 1024, DType.F32),
        new("vision fc1", 1226, 1024, 4096, DType.F32),
        .. Decode(1),
        .. Integers(1, WeightFormat.Int8),
        .. Integers(1, WeightFormat.Grouped(4, 128)),
        .. Integers(512, WeightFormat.Int8),
        .. Integers(512, WeightFormat.Grouped(4, 128)),
        new("7B wqkv", 1, 4096, 6144, DType.F32),
        new("7B wqkv", 1, 4096, 6144, DType.F16),
        new("7B wqkv", 2, 4096, 6144, DType.BF16),
        new("7B wqkv", 4, 4096, 6144, DType.BF16),
        new("7B w1, w3", 4, 4096, 14336, DType.BF16) { Gated = true },
        new("7B w2", 4, 14336, 4096, DType.BF16),
        new("7B wqkv", 8, 4096, 6144, DType.BF16),
        .. Prefill(64),
        .. Prefill(512),
        new("7B wqkv", 512, 4096, 6144, DType.F16),
        new("7B wqkv", 1300, 4096, 6144, DType.BF16),
        new("7B wqkv, 1225 visual rows", 1300, 4096, 6144, DType.BF16) { VisualRows = 1225, Rank = 256 },
        new("7B wqkv, no visual row", 1300, 4096, 6144, DType.BF16) { Rank = 256 },
        new("1.8B wqkv", 1300, 2048, 4096, DType.BF16),
        new("vision qkv, out", 1226, 1024, 1024, DType.BF16),
        new("vision fc1", 1226, 1024, 4096, DType.BF16),
        new("vision fc2", 1226, 4096, 1024, DType.BF16),
    ];

    private static IEnumerable<LinearShape> Decode(int rows) => Layers(rows)
        .Append(new("7B head", rows, 4096, 92544, DType.BF16))
        .Append(new("1.8B head", rows, 2048, 92544, DType.BF16));

    private static IEnumerable<LinearShape> Integers(int rows, WeightFormat format) =>
        DotInstructionSets.Best == DotInstructions.None ? [] : Layers(rows).Select(shape => shape with { Integers = format });

    private static IEnumerable<LinearShape> Prefill(int rows) => Layers(rows);

    private static IEnumerable<LinearShape> Layers(int rows) =>
    [
        new("7B wqkv", rows, 4096, 6144, DType.BF16),
        new("7B wo", rows, 4096, 4096, DType.BF16),
        new("7B w1, w3", rows, 4096, 14336, DType.BF16) { Gated = true },
        new("7B w2", rows, 14336, 4096, DType.BF16),
        new("1.8B wqkv", rows, 2048, 4096, DType.BF16),
        new("1.8B wo", rows, 2048, 2048, DType.BF16),
        new("1.8B w1, w3", rows, 2048, 8192, DType.BF16) { Gated = true },
        new("1.8B w2", rows, 8192, 2048, DType.BF16),
    ];
}
