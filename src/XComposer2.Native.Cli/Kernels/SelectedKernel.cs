using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Cli;

/// <summary>A specialisation for a generation.</summary>
internal readonly record struct SelectedKernel(KernelDefinition Definition, CudaTarget Target)
{
    /// <inheritdoc cref="SpecialisationOf"/>
    public string Specialisation => SpecialisationOf(Definition);

    /// <summary>As the program asks for it when it runs.</summary>
    public CubinRequest Request => new(Definition.Source, Target, Definition.Options);

    /// <summary>With the compiler's report of what it takes.</summary>
    public CubinRequest ReportingRequest => new(Definition.Source, Target, [.. Definition.Options, KernelResources.Option]);

    /// <summary>What sets a specialisation apart from others of its kernel: its definitions without the sizes of structs and blocks.</summary>
    public static string SpecialisationOf(KernelDefinition definition) => string.Join(' ', definition.Options.Select(option => option[2..])
        .Where(option => !option.Contains("_BYTES=", StringComparison.Ordinal) && !option.StartsWith("BLOCK_THREADS=", StringComparison.Ordinal)));
}
