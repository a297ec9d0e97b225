using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>An opened, checked checkpoint on a backend. Owns all of it.</summary>
internal sealed class LoadedModel : IDisposable
{
    private readonly WeightQuantization quantization;
    private readonly Int8Weights? quantized;

    private LoadedModel(Checkpoint checkpoint, WeightQuantization quantization, Int8Weights? quantized, PreparedWeights weights, ChosenDevice device)
    {
        Checkpoint = checkpoint;
        this.quantization = quantization;
        this.quantized = quantized;
        Weights = weights;
        Backend = device.Backend;
        DeviceNote = device.Note;
        DeviceFailed = device.IsFailure;
    }

    public Checkpoint Checkpoint { get; }

    public ModelConfig Config => Checkpoint.Config;

    public PreparedWeights Weights { get; }

    public IBackend Backend { get; }

    /// <summary>Variant, layout and quantisation in words.</summary>
    public string Description => EngineInfo.Describe(Checkpoint) + QuantizedWeights.Describe(quantization);

    /// <summary>Why a faster kind of device was not taken; null where none was passed over.</summary>
    public string? DeviceNote { get; }

    /// <summary>The note is about a device that seems to be there.</summary>
    public bool DeviceFailed { get; }

    /// <param name="path">The checkpoint.</param>
    /// <param name="device">Where to run.</param>
    /// <param name="quantization">What is done to the decoder's linears.</param>
    /// <param name="reporter">Told what a GPU does while it gets ready; null for no one.</param>
    /// <param name="notice">Told what is worth knowing and stops nothing; null for no one.</param>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The device is not there.</exception>
    public static LoadedModel Open(
        string path, DeviceOptions device, WeightQuantization quantization = WeightQuantization.None, LoadReporter? reporter = null, Action<string>? notice = null)
    {
        Checkpoint checkpoint = CheckpointFolder.Open(path);
        PreparedWeights? weights = null;
        try
        {
            CheckpointValidator.Validate(checkpoint);
            checkpoint.Config.RequireSupportedImages(Path.Combine(path, "config.json"));
            IWeightSource source = QuantizedWeights.Over(checkpoint, quantization);
            weights = new PreparedWeights(source, checkpoint.Config);
            return new LoadedModel(checkpoint, quantization, source as Int8Weights, weights, Backends.Create(device, checkpoint.Config.StoredType, reporter, notice));
        }
        catch
        {
            weights?.Dispose();
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Quantises now what would be quantised when it is first used. Only where the weights are used where they lie: a GPU takes them one by one, and they
    /// are freed again.</summary>
    /// <exception cref="CheckpointException">A weight is not finite.</exception>
    public void Quantize(CancellationToken cancellation)
    {
        if (Backend is CpuBackend)
            quantized?.QuantizeAll(Config, cancellation);
    }

    public void Dispose()
    {
        Backend.Dispose();
        Weights.Dispose();
    }
}
