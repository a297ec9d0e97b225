using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Cli;

/// <summary>A specialisation for a generation.</summary>
internal readonly record struct SelectedKernel(KernelDefinition Definition, CudaTarget Target)
{
    /// <summary>What sets the specialisation apart from others of its kernel: its definitions without the sizes of structs and blocks.</summary>
    public string Specialisation => string.Join(' ', Definition.Options.Select(option => option[2..])
        .Where(option => !option.Contains("_BYTES=", StringComparison.Ordinal) && !option.StartsWith("BLOCK_THREADS=", StringComparison.Ordinal)));

    /// <summary>As the program asks for it when it runs.</summary>
    public CubinRequest Request => new(Definition.Source, Target, Definition.Options);

    /// <summary>With the compiler's report of what it takes.</summary>
    public CubinRequest ReportingRequest => new(Definition.Source, Target, [.. Definition.Options, KernelResources.Option]);
}
