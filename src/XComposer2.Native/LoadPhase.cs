namespace XComposer2.Native;

/// <summary>What a model that is being loaded waits for.</summary>
public enum LoadPhase
{
    /// <summary>Kernels of a GPU, the first time that they are needed.</summary>
    CompilingKernels,

    /// <summary>Weights on their way to a GPU.</summary>
    UploadingWeights,
}
