using System.Globalization;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>A kernel with its sizes and types decided: what to compile. Derived records are the C# twins of the <c>.cu</c> files; two that are equal are the same code.</summary>
public abstract record KernelDefinition
{
    /// <summary>The file below <c>kernels/</c>, for example <c>normalization/rms_norm.cu</c>.</summary>
    public abstract string Source { get; }

    /// <summary>Bytes of the one argument, which the file checks.</summary>
    public abstract int ArgumentBytes { get; }

    /// <summary>Threads of a block.</summary>
    public abstract int BlockThreads { get; }

    /// <summary>Dynamic shared memory of a block.</summary>
    public virtual int DynamicSharedBytes => 0;

    /// <summary>The name of the entry: that of the file.</summary>
    public string Entry => Path.GetFileNameWithoutExtension(Source);

    /// <summary>Compiler options of this specialisation, in a fixed order: part of the cache's key.</summary>
    public IReadOnlyList<string> Options =>
        [.. Definitions.Append(("ARGS_BYTES", Number(ArgumentBytes))).Append(("BLOCK_THREADS", Number(BlockThreads))).Select(definition => $"-D{definition.Item1}={definition.Item2}")];

    /// <summary>Whether the kernel has a form for this generation.</summary>
    public virtual bool Serves(ComputeCapability capability) => capability.Number >= 75;

    /// <summary>What <see cref="Options"/> defines beside ARGS_BYTES and BLOCK_THREADS.</summary>
    protected abstract IEnumerable<(string Name, string Value)> Definitions { get; }

    protected static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>A condition that is known while compiling.</summary>
    protected static string Flag(bool value) => value ? "1" : "0";
}

/// <summary>A kernel that takes one warp for each row of a matrix.</summary>
public abstract record RowKernel : KernelDefinition
{
    private const int WarpLanes = 32, AccessElements = 4;

    /// <param name="columns">A multiple of 4.</param>
    protected RowKernel(int columns)
    {
        if (columns < AccessElements || columns % AccessElements != 0)
            throw new ArgumentOutOfRangeException(nameof(columns), columns, $"expected a multiple of {AccessElements}");
        Columns = columns;
    }

    public int Columns { get; }

    public override int BlockThreads => 128;

    /// <summary>A warp a row.</summary>
    public LaunchGeometry Geometry(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        int blockRows = BlockThreads / WarpLanes;
        return new LaunchGeometry((rows + blockRows - 1) / blockRows, BlockThreads);
    }

    protected override IEnumerable<(string Name, string Value)> Definitions => [("COLUMNS", Number(Columns))];
}

/// <summary>What a launch must do at least: each byte moved once, each product counted as two operations.</summary>
/// <param name="Bytes">Read and written in device memory.</param>
/// <param name="Flops">Floating-point operations.</param>
public readonly record struct KernelCost(long Bytes, long Flops)
{
    public static KernelCost operator +(KernelCost left, KernelCost right) => left.Add(right);

    public KernelCost Add(KernelCost other) => new(Bytes + other.Bytes, Flops + other.Flops);
}
