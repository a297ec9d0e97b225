using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>What all bound graphs of one backend share. Owns all of it.</summary>
internal sealed class CudaDeviceState : IDisposable
{
    public CudaDeviceState(CudaContext context, DType storage, KernelLoader kernels, CudaBackendOptions options)
    {
        Context = context;
        Storage = storage;
        Kernels = kernels;
        EmbeddingsOnHost = options.EmbeddingsOnHost;
        CompileProgress = options.CompileProgress;
        Stream = CudaStream.Create(context);
        Arena = new CudaArena(context);
        RopeTables = new CudaRopeTables(context, Stream);
        Ring = new UploadRing(context, Stream, options.UploadProgress);
    }

    public CudaContext Context { get; }

    public DType Storage { get; }

    public bool EmbeddingsOnHost { get; }

    public KernelLoader Kernels { get; }

    public IProgress<CompileProgress>? CompileProgress { get; }

    public CudaStream Stream { get; }

    public CudaArena Arena { get; }

    public CudaRopeTables RopeTables { get; }

    public UploadRing Ring { get; }

    public void Dispose()
    {
        Ring.Dispose();
        RopeTables.Dispose();
        Arena.Dispose();
        Stream.Dispose();
        Kernels.Dispose();
        Context.Dispose();
    }
}
