using XComposer2.Native.Cuda;

namespace XComposer2.Native;

/// <summary>Turns what a device reports while it gets ready into the engine's progress.</summary>
/// <param name="progress">Null where no one listens.</param>
internal sealed class LoadReporter(IProgress<LoadProgress>? progress) : IProgress<CompileProgress>, IProgress<long>
{
    /// <summary>Bytes of all weights that will be on the device, once that is planned.</summary>
    public long WeightBytes { get; set; }

    /// <summary>Kernels that were found ready are not worth a word.</summary>
    public void Report(CompileProgress value)
    {
        if (value.Latest.Origin == CubinOrigin.Compiled)
            progress?.Report(new LoadProgress(LoadPhase.CompilingKernels, value.Done, value.Total));
    }

    /// <summary>So many bytes of weights are on their way since the device was opened.</summary>
    public void Report(long value) => progress?.Report(new LoadProgress(LoadPhase.UploadingWeights, value, Math.Max(value, WeightBytes)));
}
