using XComposer2.Native.Graph;

namespace XComposer2.Native.HostBench;

/// <summary>A linear to measure.</summary>
/// <param name="Name">Where the network has it.</param>
/// <param name="Rows">Rows of x.</param>
/// <param name="Inputs">Columns of x.</param>
/// <param name="Outputs">Rows of the weight.</param>
/// <param name="Type">As stored.</param>
internal sealed record LinearShape(string Name, int Rows, int Inputs, int Outputs, DType Type)
{
    /// <summary>Two weights, silu(gate) * up.</summary>
    public bool Gated { get; init; }

    /// <summary>The first so many rows are visual and go through Partial LoRA too.</summary>
    public int VisualRows { get; init; }

    /// <summary>Rank of Partial LoRA; 0 without.</summary>
    public int Rank { get; init; }

    /// <summary>Few rows: bound by the bytes of the weights.</summary>
    public bool IsStream => Rows <= 8;

    public long WeightBytes => (Gated ? 2L : 1L) * Inputs * Outputs * Type.ElementBytes();

    public long LoraElements => (Gated ? 2L : 1L) * (Inputs + Outputs) * Rank;

    public double Flops => 2.0 * (Gated ? 2 : 1) * Rows * Inputs * Outputs + (2.0 * VisualRows * LoraElements);
}
