using System.Globalization;
using System.Text.RegularExpressions;

namespace XComposer2.Native.Kernels;

/// <summary>What a compiled kernel takes of a multiprocessor, as the compiler reports it when asked with <see cref="Option"/>.</summary>
/// <param name="Registers">Of a thread.</param>
/// <param name="SharedBytes">Static shared memory of a block.</param>
/// <param name="StackBytes">Of a thread; 0 is what a kernel here should have.</param>
/// <param name="SpillBytes">Of registers, stored and loaded; 0 is what a kernel here should have.</param>
public readonly partial record struct KernelResources(int Registers, int SharedBytes, int StackBytes, int SpillBytes)
{
    /// <summary>The compiler's option that makes it report.</summary>
    public const string Option = "--ptxas-options=-v";

    /// <exception cref="FormatException">The log has no report: the code was not compiled with <see cref="Option"/>, or not to machine code.</exception>
    public static KernelResources Parse(string log)
    {
        ArgumentNullException.ThrowIfNull(log);
        Match registers = RegistersLine().Match(log);
        if (!registers.Success)
            throw new FormatException($"the compiler's log: expected 'Used N registers', found '{log.Trim()}'");
        Match shared = SharedPart().Match(log);
        int stackBytes = 0, spillBytes = 0;
        foreach (Match function in FunctionLine().Matches(log))
        {
            stackBytes += Number(function, 1);
            spillBytes += Number(function, 2) + Number(function, 3);
        }
        return new KernelResources(Number(registers, 1), shared.Success ? Number(shared, 1) : 0, stackBytes, spillBytes);
    }

    /// <summary>Whether registers went to memory.</summary>
    public bool Spills => StackBytes > 0 || SpillBytes > 0;

    private static int Number(Match match, int group) => int.Parse(match.Groups[group].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"Used ([0-9]+) registers")]
    private static partial Regex RegistersLine();

    [GeneratedRegex(@" ([0-9]+) bytes smem")]
    private static partial Regex SharedPart();

    [GeneratedRegex(@" ([0-9]+) bytes stack frame, ([0-9]+) bytes spill stores, ([0-9]+) bytes spill loads")]
    private static partial Regex FunctionLine();
}
