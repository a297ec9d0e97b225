using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace XComposer2.Native.Kernels;

/// <summary>The machine code of one kernel, read from what <c>nvdisasm -c</c> prints: as much as a prediction needs.</summary>
public sealed partial class SassProgram
{
    private SassProgram(ImmutableArray<SassInstruction> instructions) => Instructions = instructions;

    /// <summary>In the order of addresses.</summary>
    public ImmutableArray<SassInstruction> Instructions { get; }

    /// <exception cref="FormatException">There is no instruction: the text is not a disassembly.</exception>
    public static SassProgram Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var instructions = ImmutableArray.CreateBuilder<SassInstruction>();
        Dictionary<string, int> labels = new(StringComparer.Ordinal);
        List<(int Index, string Label)> branches = [];
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            string trimmed = line.Trim().ToString();
            if (LabelLine().Match(trimmed) is { Success: true } label)
            {
                labels[label.Groups[1].Value] = instructions.Count;
                continue;
            }

            Match match = InstructionLine().Match(trimmed);
            if (!match.Success)
                continue;
            if (TargetOperand().Match(match.Groups[2].Value) is { Success: true } target)
                branches.Add((instructions.Count, target.Groups[1].Value));
            instructions.Add(new SassInstruction(match.Groups[1].Value));
        }

        if (instructions.Count == 0)
            throw new FormatException("expected a disassembly of nvdisasm -c, found no instruction");
        foreach ((int index, string label) in branches)
            if (instructions[index].IsBranch && labels.TryGetValue(label, out int place))
                instructions[index] = instructions[index] with { Target = place };
        return new SassProgram(instructions.ToImmutable());
    }

    /// <summary>The loop that does the work: of those with a good part of the products, or without products of the bytes read from global memory, the one with the
    /// most of them for each instruction. All of the program where there is no such loop, as when the compiler unrolled it.</summary>
    public SassLoop HotLoop()
    {
        SassLoop whole = Of(0, Instructions.Length - 1);
        SassLoop[] loops = [.. Instructions.Select((instruction, index) => (instruction.Target, Index: index)).Where(branch => branch.Target <= branch.Index).Select(branch => Of(branch.Target!.Value, branch.Index))];
        // A wait outside of a loop branches back into it: what lies between is a loop in name only, and has fewer products for each instruction. A loop beside
        // one of twice the products is what comes before or after it.
        return loops.Where(loop => WorkOf(loop) * 4 >= WorkOf(whole) && !Array.Exists(loops, other => (other.Last < loop.First || other.First > loop.Last) && other.Flops > 0 && other.Flops >= 2 * loop.Flops))
            .OrderByDescending(loop => (double)WorkOf(loop) / loop.Instructions).FirstOrDefault(whole);

        long WorkOf(SassLoop loop) => whole.Flops > 0 ? loop.Flops : loop.ReadBytes;
    }

    private SassLoop Of(int first, int last)
    {
        SassLoop loop = new(first, last, 0, 0, 0, 0);
        for (int i = first; i <= last; i++)
        {
            loop = loop with
            {
                Products = loop.Products + (Instructions[i].Flops > 0 ? 1 : 0),
                Flops = loop.Flops + Instructions[i].Flops,
                HalfFlops = loop.HalfFlops + (Instructions[i].HasHalfSums ? Instructions[i].Flops : 0),
                ReadBytes = loop.ReadBytes + Instructions[i].ReadBytes,
                SharedBytes = loop.SharedBytes + Instructions[i].SharedBytes,
            };
        }

        return loop;
    }

    [GeneratedRegex(@"^(\.L_x_[0-9]+):")]
    private static partial Regex LabelLine();

    [GeneratedRegex(@"^/\*[0-9a-f]+\*/\s+(?:@!?U?P[0-9T]+\s+)?([A-Z][A-Za-z0-9_.]*)\s*([^;]*);")]
    private static partial Regex InstructionLine();

    [GeneratedRegex(@"`\((\.L_x_[0-9]+)\)")]
    private static partial Regex TargetOperand();
}

/// <summary>Instructions from one to another, both included, and what a warp does in them.</summary>
/// <param name="First">Index of the first.</param>
/// <param name="Last">Index of the last.</param>
/// <param name="Products">Instructions of tensor cores.</param>
/// <param name="Flops">Floating-point operations of these.</param>
/// <param name="ReadBytes">Read from global memory.</param>
/// <param name="SharedBytes">Read and written in shared memory.</param>
/// <param name="HalfFlops">Of the operations, those whose sums are 16-bit.</param>
public sealed record SassLoop(int First, int Last, int Products, long Flops, long ReadBytes, long SharedBytes, long HalfFlops = 0)
{
    public int Instructions => Last - First + 1;
}

/// <summary>One instruction.</summary>
/// <param name="Opcode">With its modifiers, without its predicate: <c>LDG.E.128.CONSTANT</c>.</param>
/// <param name="Target">Index of the instruction that a branch goes to; null for others.</param>
public readonly partial record struct SassInstruction(string Opcode, int? Target = null)
{
    private const int WarpThreads = 32;

    public bool IsBranch => Opcode == "BRA" || Opcode.StartsWith("BRA.", StringComparison.Ordinal);

    /// <summary>Read from global memory by a warp, into registers or into shared memory.</summary>
    public long ReadBytes => Is("LDG") || Is("LDGSTS") ? WarpThreads * ThreadBytes() : 0;

    /// <summary>Read or written in shared memory by a warp. Copies from global memory count as writes; what a tensor core reads by descriptor does not count.</summary>
    public long SharedBytes => Is("LDSM") ? 128L * MatrixCount() : Is("LDS") || Is("STS") || Is("LDGSTS") ? WarpThreads * ThreadBytes() : 0;

    /// <summary>Floating-point operations of a warp on tensor cores: two for each product.</summary>
    public long Flops
    {
        get
        {
            if (WarpGroupShape().Match(Opcode) is { Success: true } group)
                return 2L * Number(group, 1) * Number(group, 2) * Number(group, 3) / 4;
            return Opcode switch
            {
                _ when Opcode.StartsWith("HMMA.16816", StringComparison.Ordinal) => 2 * 16 * 8 * 16,
                _ when Opcode.StartsWith("HMMA.1688", StringComparison.Ordinal) => 2 * 16 * 8 * 8,
                _ when Opcode.StartsWith("IMMA.16832", StringComparison.Ordinal) => 2 * 16 * 8 * 32,
                _ when Opcode.StartsWith("IMMA.16816", StringComparison.Ordinal) => 2 * 16 * 8 * 16,
                _ => 0,
            };
        }
    }

    /// <summary>On tensor cores, with sums of 16 bits.</summary>
    public bool HasHalfSums => Opcode.StartsWith("HMMA.", StringComparison.Ordinal) && Opcode.EndsWith(".F16", StringComparison.Ordinal);

    private bool Is(string name) => Opcode == name || (Opcode.StartsWith(name, StringComparison.Ordinal) && Opcode[name.Length] == '.');

    private int ThreadBytes()
    {
        string[] parts = Opcode.Split('.');
        return parts.Contains("128") ? 16 : parts.Contains("64") ? 8 : parts.Contains("U16") || parts.Contains("S16") ? 2 : parts.Contains("U8") || parts.Contains("S8") ? 1 : 4;
    }

    private int MatrixCount() => Opcode.EndsWith(".4", StringComparison.Ordinal) ? 4 : Opcode.EndsWith(".2", StringComparison.Ordinal) ? 2 : 1;

    private static int Number(Match match, int group) => int.Parse(match.Groups[group].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^[HI]GMMA\.([0-9]+)x([0-9]+)x([0-9]+)\.")]
    private static partial Regex WarpGroupShape();
}
