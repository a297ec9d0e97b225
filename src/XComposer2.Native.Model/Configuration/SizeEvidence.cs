namespace XComposer2.Native.Model;

/// <summary>A size that the tensors prove, and which tensor proves it.</summary>
internal readonly record struct SizeEvidence(int Value, string Source);
