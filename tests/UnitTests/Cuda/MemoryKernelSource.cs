using XComposer2.Native.Cuda;

namespace XComposer2.Native.UnitTests;

/// <summary>Kernel files in memory.</summary>
internal sealed class MemoryKernelSource : IKernelSource
{
    public Dictionary<string, string> Files { get; } = [];

    public string Description => "kernels";

    public string? Read(string path) => Files.GetValueOrDefault(path);

    /// <summary>A kernel with two layers of headers.</summary>
    public static MemoryKernelSource Scale() => new()
    {
        Files =
        {
            ["common/types.cuh"] = "#pragma once\ntypedef unsigned int word;\n",
            ["common/scale_args.cuh"] = "#pragma once\n#include \"common/types.cuh\"\nstruct ScaleArgs { float* x; word count; float factor; };\n",
            ["elementwise/scale.cu"] = """
                #include "common/scale_args.cuh"
                #include "common/types.cuh"

                extern "C" __global__ void scale(const __grid_constant__ ScaleArgs args)
                {
                    const word index = blockIdx.x * blockDim.x + threadIdx.x;
                    if (index < args.count) args.x[index] *= args.factor * FACTOR;
                }
                """,
        },
    };
}
