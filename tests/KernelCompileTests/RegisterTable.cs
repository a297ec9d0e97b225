using System.Globalization;
using System.Text;
using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>What every kernel takes, as <c>kernels/REGISTERS.md</c>.</summary>
internal static class RegisterTable
{
    /// <summary>The compiler that the table in the repository was made with: others allocate differently.</summary>
    public static readonly CudaVersion CompilerVersion = new(12, 4);

    private const string Introduction = """
        # Registers and shared memory

        Of every kernel in every specialisation of the published models (all generations), the demo and the golden checkpoints (one generation of each
        kind of instructions), as NVRTC 12.4 compiles it: registers of a thread / bytes of shared memory of a block, static and dynamic. No kernel spills,
        none has a stack frame. Written by `XC2_WRITE_REGISTERS=1 dotnet run --project tests/KernelCompileTests -c Release`; the tests compare it.

        """;

    public static string Write(IReadOnlyDictionary<(KernelDefinition Definition, string Target), Cubin> cubins)
    {
        StringBuilder text = new(Introduction.ReplaceLineEndings("\n"));
        foreach (IGrouping<string, KernelDefinition> kernel in cubins.Keys.Select(key => key.Definition).Distinct().GroupBy(definition => definition.Source).OrderBy(kernel => kernel.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {kernel.Key}\n\n| specialisation | threads | {string.Join(" | ", KernelMatrix.Targets)} |\n|---|---|{string.Concat(KernelMatrix.Targets.Select(_ => "---|"))}\n");
            foreach (KernelDefinition definition in kernel.OrderBy(Describe, StringComparer.Ordinal))
                text.Append(CultureInfo.InvariantCulture, $"| {Describe(definition)} | {definition.BlockThreads} | {string.Join(" | ", KernelMatrix.Targets.Select(target => Cell(cubins, definition, target)))} |\n");
        }
        return text.ToString();
    }

    /// <summary>What sets a specialisation apart: its definitions without the sizes of structs and blocks.</summary>
    private static string Describe(KernelDefinition definition)
    {
        IEnumerable<string> options = definition.Options.Select(option => option.Replace("-D", string.Empty, StringComparison.Ordinal))
            .Where(option => !option.Contains("_BYTES=", StringComparison.Ordinal) && !option.StartsWith("BLOCK_THREADS=", StringComparison.Ordinal));
        return string.Join(' ', options) is { Length: > 0 } text ? text : "one";
    }

    private static string Cell(IReadOnlyDictionary<(KernelDefinition Definition, string Target), Cubin> cubins, KernelDefinition definition, string target)
    {
        if (!cubins.TryGetValue((definition, target), out Cubin? cubin)) return "";
        KernelResources resources = KernelResources.Parse(cubin.Log);
        return string.Create(CultureInfo.InvariantCulture, $"{resources.Registers} / {resources.SharedBytes + definition.DynamicSharedBytes}");
    }
}
