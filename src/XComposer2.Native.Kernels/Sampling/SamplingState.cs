using System.Runtime.InteropServices;

namespace XComposer2.Native.Kernels;

/// <summary>How one row is sampled and where its answer stands, in device memory, as <c>sampling/sample_token.cu</c> declares it.</summary>
/// <param name="Seed">The same seed gives the same ids.</param>
/// <param name="Step">Tokens of the answer so far; the kernel counts.</param>
/// <param name="Temperature">Over 0.</param>
/// <param name="TopP">Over 0, at most 1.</param>
/// <param name="RepetitionPenalty">Over 0; 1 is none.</param>
/// <param name="TopK">0 keeps all.</param>
/// <param name="Greedy">1: the largest logit, and temperature, top-k and top-p are not looked at. Else 0.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SamplingState(
    ulong Seed, ulong Step, float Temperature, float TopP, float RepetitionPenalty, uint TopK, uint Greedy);
