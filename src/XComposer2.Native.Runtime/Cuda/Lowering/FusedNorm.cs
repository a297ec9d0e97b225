namespace XComposer2.Native.Runtime;

/// <summary>RMSNorm of a linear's input, done by the linear itself.</summary>
/// <param name="Gain">Name of the weight [in].</param>
/// <param name="Epsilon">Added to the mean of squares.</param>
internal readonly record struct FusedNorm(string Gain, float Epsilon);
