namespace XComposer2.Native.Cuda;

/// <summary>A <c>CUdevice</c>.</summary>
internal readonly record struct DeviceHandle(int Value);

/// <summary>A <c>CUcontext</c>.</summary>
internal readonly record struct ContextHandle(nint Value);

/// <summary>A <c>CUstream</c>.</summary>
internal readonly record struct StreamHandle(nint Value);

/// <summary>A <c>CUevent</c>.</summary>
internal readonly record struct EventHandle(nint Value);

/// <summary>A <c>CUlibrary</c>.</summary>
internal readonly record struct LibraryHandle(nint Value);

/// <summary>A <c>CUkernel</c>.</summary>
internal readonly record struct KernelHandle(nint Value);

/// <summary>A <c>CUfunction</c>: a kernel whose code is loaded into the context.</summary>
internal readonly record struct FunctionHandle(nint Value);

/// <summary>A <c>CUgraph</c>.</summary>
internal readonly record struct GraphHandle(nint Value);

/// <summary>A <c>CUgraphExec</c>.</summary>
internal readonly record struct GraphExecutableHandle(nint Value);

/// <summary>An <c>nvrtcProgram</c>.</summary>
internal readonly record struct ProgramHandle(nint Value);
