using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>A dense row-major matrix in host memory, used as stored. Does not own its bytes.</summary>
/// <param name="Data">First element.</param>
/// <param name="Type">F32, F16 or BF16.</param>
/// <param name="Rows">Rows: outputs, for a linear's weight.</param>
/// <param name="Columns">Columns: inputs, for a linear's weight.</param>
public readonly record struct FloatMatrix(nint Data, DType Type, int Rows, int Columns);
