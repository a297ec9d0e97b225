namespace XComposer2.Native.Cuda;

/// <summary><c>CUtensorMapL2promotion</c>.</summary>
public enum TensorMapPromotion
{
    None = 0,
    L2Bytes64 = 1,
    L2Bytes128 = 2,
    L2Bytes256 = 3,
}
