using System.Runtime.InteropServices;

namespace XComposer2.Native.Kernels;

/// <summary>How one row is sampled and where its answer stands, in device memory: <c>SamplingState</c> of <c>sampling/sample_token.cu</c>, which counts the step.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SamplingState
{
    /// <summary>The same seed gives the same ids.</summary>
    public ulong Seed;

    /// <summary>Tokens of the answer so far.</summary>
    public ulong Step;

    /// <summary>Over 0.</summary>
    public float Temperature;

    /// <summary>Over 0, at most 1.</summary>
    public float TopP;

    /// <summary>Over 0; 1 is none.</summary>
    public float RepetitionPenalty;

    /// <summary>0 keeps all.</summary>
    public uint TopK;

    /// <summary>1: the largest logit; temperature, top-k and top-p are not looked at. Else 0.</summary>
    public uint Greedy;

    private readonly uint reserved;
}
