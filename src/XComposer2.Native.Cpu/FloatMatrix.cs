using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>A dense row-major matrix in host memory, used as stored. Does not own its bytes.</summary>
/// <param name="Data">First element.</param>
/// <param name="Type">F32, F16 or BF16; I8 for a linear's weight that has row scales.</param>
/// <param name="Rows">Rows: outputs, for a linear's weight.</param>
/// <param name="Columns">Columns: inputs, for a linear's weight.</param>
/// <param name="RowScales">F32 [rows], of I8 rows: an element is integer x scale of its row. 0 for other types.</param>
public readonly record struct FloatMatrix(nint Data, DType Type, int Rows, int Columns, nint RowScales = 0);
