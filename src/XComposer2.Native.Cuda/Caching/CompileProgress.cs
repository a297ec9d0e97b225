namespace XComposer2.Native.Cuda;

/// <summary>One more kernel is there.</summary>
/// <param name="Done">How many are, this one included.</param>
/// <param name="Total">Of how many.</param>
/// <param name="Latest">This one.</param>
public readonly record struct CompileProgress(int Done, int Total, Cubin Latest);
