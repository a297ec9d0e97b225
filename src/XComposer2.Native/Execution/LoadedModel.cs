using System.Security.Cryptography;
using System.Text;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>An opened, checked checkpoint on a backend. Owns all of it.</summary>
internal sealed class LoadedModel : IDisposable
{
    private readonly WeightQuantization quantization;
    private readonly QuantizedWeights? quantized;

    private LoadedModel(Checkpoint checkpoint, WeightQuantization quantization, QuantizedWeights? quantized, PreparedWeights weights, ChosenDevice device)
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
    public string Description => EngineInfo.Describe(Checkpoint) + Quantizations.Describe(quantization);

    /// <summary>Why a faster kind of device was not taken; null where none was passed over.</summary>
    public string? DeviceNote { get; }

    /// <summary>The note is about a device that seems to be there.</summary>
    public bool DeviceFailed { get; }

    /// <param name="path">The checkpoint.</param>
    /// <param name="device">Where to run.</param>
    /// <param name="quantization">What is quantised while loading.</param>
    /// <param name="reporter">Told what a GPU does while it gets ready; null for no one.</param>
    /// <param name="notice">Told what is worth knowing and stops nothing; null for no one.</param>
    /// <param name="options">Adapters, and how files are read; null for the defaults.</param>
    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    /// <exception cref="EngineException">The device is not there.</exception>
    public static LoadedModel Open(
        string path, DeviceOptions device, WeightQuantization quantization = default, LoadReporter? reporter = null, Action<string>? notice = null,
        CheckpointOptions? options = null)
    {
        Checkpoint checkpoint = CheckpointFolder.Open(path, options);
        PreparedWeights? weights = null;
        ChosenDevice? chosen = null;
        try
        {
            CheckpointValidator.Validate(checkpoint);
            checkpoint.Config.RequireSupportedSizes(Path.Combine(path, "config.json"));
            checkpoint.Config.RequireSupportedImages(Path.Combine(path, "config.json"));
            if (checkpoint.Notice is { } words)
                notice?.Invoke(words);
            chosen = Backends.Create(device, checkpoint.Config.StoredType, reporter, notice);
            quantization = Quantizations.Keep(checkpoint, quantization, chosen.Value.Backend);
            IWeightSource source = Quantizations.Over(checkpoint, quantization);
            weights = new PreparedWeights(source, checkpoint.Config);
            if (chosen.Value.Backend is CpuBackend && CpuBackend.VectorWarning is { } warning)
                notice?.Invoke(warning);
            return new LoadedModel(checkpoint, quantization, source as QuantizedWeights, weights, chosen.Value);
        }
        catch
        {
            chosen?.Backend.Dispose();
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

/// <summary>Puts a quantisation over stored weights.</summary>
internal static class Quantizations
{
    /// <summary>Lets a checkpoint serve the integers that it has, where the device reads them and no other format is wanted for them.</summary>
    /// <returns>What is left to quantise.</returns>
    /// <exception cref="EngineException">A weight is to be quantised that is stored as integers.</exception>
    public static WeightQuantization Keep(Checkpoint checkpoint, WeightQuantization quantization, IBackend backend)
    {
        if (checkpoint.Tensors.FirstOrDefault(tensor => tensor.Format is not null && quantization.FormatOf(tensor.Name) is not null) is { } integers)
            throw new EngineException($"quantization: expected none of {integers.Name}, which is stored as {integers.Format}, found {quantization.FormatOf(integers.Name)}");
        bool isKept = checkpoint.HasIntegers && (quantization.Linears is null || quantization.Linears.Value.Elements.ElementBits() < 8);
        return isKept && checkpoint.ServeIntegers(format => backend is CpuBackend || DeviceWeights.Has(format)) ? quantization with { Linears = null } : quantization;
    }

    /// <summary>The source itself where nothing is quantised, else one that owns it.</summary>
    /// <exception cref="EngineException">No quantiser makes a format.</exception>
    public static IWeightSource Over(IWeightSource source, WeightQuantization quantization)
    {
        try
        {
            quantization.Require();
        }
        catch (ArgumentException refused)
        {
            throw new EngineException(refused.Message, refused);
        }

        return quantization.IsNone ? source : new QuantizedWeights(source, quantization);
    }

    /// <summary>For people, behind the name of a model; empty where nothing is quantised.</summary>
    public static string Describe(WeightQuantization quantization) => quantization.IsNone ? "" : $", {quantization}";
}

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

/// <summary>
/// Tells checkpoints apart without reading fourteen gigabytes: names, types and shapes of all tensors, and the first and last bytes of each that lies in
/// its file as it is used.
/// </summary>
internal static class ModelFingerprint
{
    private const int SampleBytes = 4096;

    /// <returns>64 hexadecimal digits.</returns>
    public static unsafe string Of(Checkpoint checkpoint)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{checkpoint.Config.ImageSize}\n"));
        foreach (CheckpointTensor tensor in checkpoint.Tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{tensor.Name} {tensor.TypeName} {tensor.Shape}\n"));
            // What is packed in the file would have to be unpacked, at the cost of a whole tensor.
            bool isPlain = tensor.Type is { } type && tensor.Bytes == type.Bytes(tensor.Shape.ElementCount);
            if (!isPlain || !checkpoint.TryGet(tensor.Name, out HostTensor values))
                continue;
            int sample = (int)Math.Min(values.Bytes, SampleBytes);
            hash.AppendData(new ReadOnlySpan<byte>((void*)values.Data, sample));
            hash.AppendData(new ReadOnlySpan<byte>((void*)(values.Data + (nint)values.Bytes - sample), sample));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
