namespace XComposer2.Native.Cpu;

/// <summary>A floating element type. Implementations are empty structs.</summary>
internal interface IFloatElement : IStoredElement
{
    /// <summary>The elements themselves where they are fp32, else a copy of them in <paramref name="scratch"/>.</summary>
    static abstract unsafe float* AsFloats<TSimd, TVector>(nint source, int count, float* scratch)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct;
}
