namespace XComposer2.Native.Cuda;

/// <summary>An <c>nvrtcProgram</c>.</summary>
internal readonly record struct ProgramHandle(nint Value);
