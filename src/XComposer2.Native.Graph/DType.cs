namespace XComposer2.Native.Graph;

/// <summary>Element type of a tensor, as stored. Arithmetic on all floating types accumulates in <see cref="F32"/>.</summary>
public enum DType : byte
{
    F32,
    F16,
    BF16,
    I64,
    I32,
    I8,
    U8,
}
