using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>A dense row-major matrix in host memory, in its storage type. Does not own its bytes.</summary>
/// <param name="Data">First element.</param>
/// <param name="Type">F32, F16 or BF16; I8 for a weight with row scales.</param>
/// <param name="Rows">Rows: the outputs of a linear's weight.</param>
/// <param name="Columns">Columns: the inputs of a linear's weight.</param>
/// <param name="RowScales">F32 [rows] for I8: an element is integer x scale of its row. 0 for other types.</param>
public readonly record struct FloatMatrix(nint Data, DType Type, int Rows, int Columns, nint RowScales = 0);
