namespace XComposer2.Native.Cuda;

/// <summary>NVRTC's entry points.</summary>
internal sealed unsafe class CompilerFunctions(INativeExports compiler)
{
    public readonly delegate* unmanaged<int*, int*, NvrtcResult> nvrtcVersion =
        (delegate* unmanaged<int*, int*, NvrtcResult>)compiler.Find(nameof(nvrtcVersion));
    public readonly delegate* unmanaged<NvrtcResult, byte*> nvrtcGetErrorString =
        (delegate* unmanaged<NvrtcResult, byte*>)compiler.Find(nameof(nvrtcGetErrorString));
    public readonly delegate* unmanaged<int*, NvrtcResult> nvrtcGetNumSupportedArchs =
        (delegate* unmanaged<int*, NvrtcResult>)compiler.Find(nameof(nvrtcGetNumSupportedArchs));
    public readonly delegate* unmanaged<int*, NvrtcResult> nvrtcGetSupportedArchs =
        (delegate* unmanaged<int*, NvrtcResult>)compiler.Find(nameof(nvrtcGetSupportedArchs));
    public readonly delegate* unmanaged<ProgramHandle*, byte*, byte*, int, byte**, byte**, NvrtcResult> nvrtcCreateProgram =
        (delegate* unmanaged<ProgramHandle*, byte*, byte*, int, byte**, byte**, NvrtcResult>)compiler.Find(nameof(nvrtcCreateProgram));
    public readonly delegate* unmanaged<ProgramHandle*, NvrtcResult> nvrtcDestroyProgram =
        (delegate* unmanaged<ProgramHandle*, NvrtcResult>)compiler.Find(nameof(nvrtcDestroyProgram));
    public readonly delegate* unmanaged<ProgramHandle, int, byte**, NvrtcResult> nvrtcCompileProgram =
        (delegate* unmanaged<ProgramHandle, int, byte**, NvrtcResult>)compiler.Find(nameof(nvrtcCompileProgram));
    public readonly delegate* unmanaged<ProgramHandle, nuint*, NvrtcResult> nvrtcGetProgramLogSize =
        (delegate* unmanaged<ProgramHandle, nuint*, NvrtcResult>)compiler.Find(nameof(nvrtcGetProgramLogSize));
    public readonly delegate* unmanaged<ProgramHandle, byte*, NvrtcResult> nvrtcGetProgramLog =
        (delegate* unmanaged<ProgramHandle, byte*, NvrtcResult>)compiler.Find(nameof(nvrtcGetProgramLog));
    public readonly delegate* unmanaged<ProgramHandle, nuint*, NvrtcResult> nvrtcGetCUBINSize =
        (delegate* unmanaged<ProgramHandle, nuint*, NvrtcResult>)compiler.Find(nameof(nvrtcGetCUBINSize));
    public readonly delegate* unmanaged<ProgramHandle, byte*, NvrtcResult> nvrtcGetCUBIN =
        (delegate* unmanaged<ProgramHandle, byte*, NvrtcResult>)compiler.Find(nameof(nvrtcGetCUBIN));
    public readonly delegate* unmanaged<ProgramHandle, nuint*, NvrtcResult> nvrtcGetPTXSize =
        (delegate* unmanaged<ProgramHandle, nuint*, NvrtcResult>)compiler.Find(nameof(nvrtcGetPTXSize));
    public readonly delegate* unmanaged<ProgramHandle, byte*, NvrtcResult> nvrtcGetPTX =
        (delegate* unmanaged<ProgramHandle, byte*, NvrtcResult>)compiler.Find(nameof(nvrtcGetPTX));
}
