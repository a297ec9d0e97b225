using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.KernelCompileTests;

/// <summary>Every kernel, in every specialisation, compiles for every generation that it serves, and keeps its numbers in registers.</summary>
public sealed class KernelCompileTests(CompiledMatrix matrix, ITestOutputHelper output) : IClassFixture<CompiledMatrix>
{
    private const string WriteVariable = "XC2_WRITE_REGISTERS";

    [Fact]
    public void Nothing_is_spilled()
    {
        string[] spilling =
        [
            .. matrix.Cubins.Where(kernel => KernelResources.Parse(kernel.Value.Log).Spills)
                .Select(kernel => $"{kernel.Value.Name}, {string.Join(' ', kernel.Key.Definition.Options)}: {KernelResources.Parse(kernel.Value.Log)}"),
        ];
        Assert.True(spilling.Length == 0, string.Join('\n', spilling));
        output.WriteLine($"{matrix.Cubins.Count} kernels, {matrix.Cubins.Values.Count(cubin => cubin.Origin == CubinOrigin.Compiled)} of them compiled now");
    }

    [Fact]
    public void Nothing_is_warned_of()
    {
        string[] warnings = [.. matrix.Cubins.Values.Where(cubin => cubin.Log.Contains("warning", StringComparison.OrdinalIgnoreCase)).Select(cubin => $"{cubin.Name}: {cubin.Log}").Distinct()];
        Assert.True(warnings.Length == 0, string.Join('\n', warnings));
    }

    [Fact]
    public void No_wgmma_is_serialised()
    {
        string[] serialised = [.. matrix.Cubins.Values.SelectMany(cubin => SerializedWgmmaTests.Complaints(cubin.Log).Select(line => $"{cubin.Name}: {line}")).Distinct()];
        Assert.True(serialised.Length == 0, string.Join('\n', serialised));
    }

    /// <summary>A block of the threads and the shared memory that the twin says can be launched.</summary>
    [Fact]
    public void Every_block_fits_a_multiprocessor()
    {
        foreach (((KernelDefinition definition, string target), Cubin cubin) in matrix.Cubins)
        {
            KernelResources resources = KernelResources.Parse(cubin.Log);
            // Registers are handed out to a warp in units of 256.
            int registersOfWarp = ((32 * resources.Registers) + 255) / 256 * 256, warps = (definition.BlockThreads + 31) / 32;
            // A chooser counts on the blocks that the definition states.
            int blocks = definition.BlocksPerMultiprocessor(KernelMatrix.CapabilityOf(target)) ?? 1;
            Assert.True(registersOfWarp * warps * blocks <= 65536, $"{cubin.Name}: {blocks} blocks of {definition.BlockThreads} threads of {resources.Registers} registers");
            int shared = resources.SharedBytes + definition.DynamicSharedBytes, limit = SharedLimit(KernelMatrix.CapabilityOf(target));
            Assert.True(resources.SharedBytes <= 48 * 1024 && shared <= limit, $"{cubin.Name}: {shared} bytes of shared memory, {limit} are there: {definition}");
        }
    }

    [Fact]
    public void The_table_is_that_of_the_repository()
    {
        string found = RegisterTable.Write(matrix.Cubins), path = TestPaths.Repository("kernels", "REGISTERS.md");
        if (matrix.CompilerVersion != RegisterTable.CompilerVersion)
            Assert.Skip($"kernels/REGISTERS.md is of NVRTC {RegisterTable.CompilerVersion}, this one is {matrix.CompilerVersion}");
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1")
            File.WriteAllText(path, found);
        string[] expected = File.ReadAllText(path).ReplaceLineEndings("\n").Split('\n'), lines = found.Split('\n');
        int line = 0;
        while (line < Math.Min(expected.Length, lines.Length) && expected[line] == lines[line])
            line++;
        Assert.True(
            line == expected.Length && line == lines.Length,
            $"kernels/REGISTERS.md, line {line + 1}: '{expected.ElementAtOrDefault(line)}' is now '{lines.ElementAtOrDefault(line)}'; if that is meant, write it anew with {WriteVariable}=1");
    }

    [Fact]
    public void Every_kernel_of_the_tree_is_in_the_catalog()
    {
        string root = TestPaths.Repository("kernels");
        string[] files = [.. Directory.GetFiles(root, "*.cu", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(root, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(files);
        Assert.Equal(files, KernelMatrix.All.Select(kernel => kernel.Definition.Source).Distinct().Order(StringComparer.Ordinal));
    }

    private static int SharedLimit(ComputeCapability capability) => capability.Number switch
    {
        75 => 64 * 1024,
        80 => 163 * 1024,
        86 or 89 => 99 * 1024,
        _ => 227 * 1024,
    };
}
