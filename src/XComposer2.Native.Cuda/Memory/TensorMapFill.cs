namespace XComposer2.Native.Cuda;

/// <summary><c>CUtensorMapFloatOOBfill</c>: what is read outside of the tensor.</summary>
public enum TensorMapFill
{
    Zero = 0,
    NanRequestZeroFma = 1,
}
