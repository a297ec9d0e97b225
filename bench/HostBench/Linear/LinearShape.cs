using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.HostBench;

/// <summary>A linear to measure.</summary>
/// <param name="Name">Its name in the network.</param>
/// <param name="Rows">Rows of x.</param>
/// <param name="Inputs">Columns of x.</param>
/// <param name="Outputs">Rows of the weight.</param>
/// <param name="Type">Storage type.</param>
internal sealed record LinearShape(string Name, int Rows, int Inputs, int Outputs, DType Type)
{
    /// <summary>Two weights: silu(gate) * up.</summary>
    public bool Gated { get; init; }

    /// <summary>Weights of integers, packed for this machine's instructions; null for those of <see cref="Type"/>.</summary>
    public WeightFormat? Integers { get; init; }

    /// <summary>How weights are stored, in words.</summary>
    public string Weights => Integers?.ToString() ?? Type.ToString();

    /// <summary>Number of leading rows that are visual and take Partial LoRA.</summary>
    public int VisualRows { get; init; }

    /// <summary>Rank of Partial LoRA; 0 without.</summary>
    public int Rank { get; init; }

    /// <summary>Few rows: bound by the bandwidth of the weights.</summary>
    public bool IsStream => Rows <= 8;

    public long WeightBytes => (Gated ? 2L : 1L) * (Integers is { } format ? PackedIntegers.BytesOf(format, Outputs, Inputs, DotInstructionSets.Best) : (long)Inputs * Outputs * Type.ElementBytes());

    public long LoraElements => (Gated ? 2L : 1L) * (Inputs + Outputs) * Rank;

    public double Flops => 2.0 * (Gated ? 2 : 1) * Rows * Inputs * Outputs + (2.0 * VisualRows * LoraElements);
}
