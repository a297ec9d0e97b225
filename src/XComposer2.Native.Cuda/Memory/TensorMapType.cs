namespace XComposer2.Native.Cuda;

/// <summary><c>CUtensorMapDataType</c>, the members in use.</summary>
public enum TensorMapType
{
    UInt8 = 0,
    UInt16 = 1,
    UInt32 = 2,
    Int32 = 3,
    Float16 = 6,
    Float32 = 7,
    BFloat16 = 9,
}
