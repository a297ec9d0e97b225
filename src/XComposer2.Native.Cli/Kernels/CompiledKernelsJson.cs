namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 kernels compile --json</c> prints.</summary>
/// <param name="Folder">The cache folder that was filled.</param>
/// <param name="Kernels">How many it has for the model.</param>
/// <param name="Compiled">Of these, how many were not there before.</param>
/// <param name="Bytes">Code of all of them.</param>
/// <param name="Seconds">What it took.</param>
internal sealed record CompiledKernelsJson(string Folder, int Kernels, int Compiled, long Bytes, double Seconds);
