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

    /// <summary>Blocks that the file's launch bounds leave registers for on one multiprocessor; null where it states none.</summary>
    public virtual int? BlocksPerMultiprocessor(ComputeCapability capability) => null;

    /// <summary>The name of the entry: that of the file.</summary>
    public string Entry => Path.GetFileNameWithoutExtension(Source);

    /// <summary>Compiler options of this specialisation, in a fixed order: part of the cache's key.</summary>
    public IReadOnlyList<string> Options =>
        [.. Definitions.Append(("ARGS_BYTES", Number(ArgumentBytes))).Append(("BLOCK_THREADS", Number(BlockThreads))).Select(definition => $"-D{definition.Item1}={definition.Item2}")];

    /// <summary>Whether the kernel has a form for this generation.</summary>
    public virtual bool Serves(ComputeCapability capability) => capability.Number >= 75;

    /// <summary>Launches of this kernel that <c>xc2 bench kernels</c> times. Abstract, so that a kernel without a case does not compile.</summary>
    internal abstract IEnumerable<KernelCase> Cases(CaseContext context);

    /// <summary>What <see cref="Options"/> defines beside ARGS_BYTES and BLOCK_THREADS.</summary>
    protected abstract IEnumerable<(string Name, string Value)> Definitions { get; }

    protected static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>A condition that is known while compiling.</summary>
    protected static string Flag(bool value) => value ? "1" : "0";
}

/// <summary>What a launch must do at least: each byte moved once, each product counted as two operations.</summary>
/// <param name="Bytes">Read and written in device memory.</param>
/// <param name="Flops">Floating-point operations.</param>
public readonly record struct KernelCost(long Bytes, long Flops)
{
    public static KernelCost operator +(KernelCost left, KernelCost right) => left.Add(right);

    public KernelCost Add(KernelCost other) => new(Bytes + other.Bytes, Flops + other.Flops);
}
