using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// Writes a checkpoint with weights of integers: a file for each decoder layer, one for the vision tower and the projector, one for the rest, and last the manifest (<see cref="IntegerManifest"/>).
/// One layer is in memory at a time. A run that was stopped goes on after the last whole file; every file is read back and compared.
/// </summary>
public static class CheckpointQuantizer
{
    /// <summary>Rounds to nearest.</summary>
    /// <inheritdoc cref="Run(QuantizationJob, ILayerCalibration, IProgress{QuantizationProgress}, CancellationToken)"/>
    public static IntegerManifest Run(QuantizationJob job, IProgress<QuantizationProgress>? progress = null, CancellationToken cancellation = default) => Run(job, null, progress, cancellation);

    /// <summary>By the job's method.</summary>
    /// <param name="job">What to do.</param>
    /// <param name="calibration">Inputs of the decoder's layers; needed by every method but rounding to nearest. Not owned.</param>
    /// <param name="progress">Told of each finished tensor.</param>
    /// <param name="cancellation">Takes effect between tensors; whole files are kept.</param>
    /// <returns>The manifest that was written.</returns>
    /// <exception cref="CheckpointException">A file is unusable, the folder belongs to another run, or a written file reads otherwise.</exception>
    /// <exception cref="ArgumentException">Nothing is to be quantised, a format has no quantiser, or the method has no calibration.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static IntegerManifest Run(QuantizationJob job, ILayerCalibration? calibration, IProgress<QuantizationProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(job);
        if (job.Method != QuantizationMethod.RoundToNearest && (calibration is null || job.Quantization.Linears is null))
            throw new ArgumentException($"{job.Method.Word()}: expected linears to quantise, and calibration inputs", nameof(job));
        if (job.IsActOrdered && job.Method != QuantizationMethod.ErrorFeedback)
            throw new ArgumentException($"an order of columns: expected {QuantizationMethod.ErrorFeedback.Word()}, found {job.Method.Word()}", nameof(job));
        if (job.Quantization.IsNone)
            throw new ArgumentException("expected weights to quantise, found none", nameof(job));
        job.Quantization.Require();
        using Checkpoint checkpoint = CheckpointFolder.Open(job.Model, new CheckpointOptions { Cancellation = cancellation });
        CheckpointValidator.Validate(checkpoint);
        if (Path.GetFullPath(job.Output) == Path.GetFullPath(job.Model))
            throw new CheckpointException(job.Output, "output", "another folder than the model's", "the same");
        RequireFloats(checkpoint, job.Quantization);
        // 4-bit integers that a file has already are taken as they are.
        if (job.Quantization.Linears is { } linears && linears.Elements.ElementBits() < 8)
            checkpoint.ServeIntegers(static _ => true);
        var run = new QuantizationRun(checkpoint, job, calibration, Begin(checkpoint, job, calibration), progress);
        return run.Finish(cancellation);
    }

    private static void RequireFloats(Checkpoint checkpoint, WeightQuantization quantization)
    {
        if (checkpoint.Tensors.FirstOrDefault(tensor => tensor.Format is not null) is { } integers)
            throw new CheckpointException(checkpoint.Directory, $"tensor {CheckpointException.Show(integers.Name)}", "floating numbers to quantise", $"{integers.Format}: the checkpoint is quantised already");
        foreach (CheckpointTensor tensor in checkpoint.Tensors)
            if (quantization.FormatOf(tensor.Name) is { } format && tensor.Shape.Rank == 2 && (long)tensor.Shape[1] * format.Elements.ElementBits() % 8 != 0)
                throw new CheckpointException(tensor.File, $"tensor {CheckpointException.Show(tensor.Name)}", $"rows of whole bytes for {format}", $"{tensor.Shape}");
    }

    // What an earlier run with the same options has finished.
    private static IntegerManifest Begin(Checkpoint checkpoint, QuantizationJob job, ILayerCalibration? calibration)
    {
        var empty = new IntegerManifest(
            MethodOf(job, calibration), job.Quantization.ToString(), SourceOf(checkpoint), ImmutableSortedDictionary<string, IntegerWeight>.Empty, ImmutableSortedDictionary<string, WeightFile>.Empty);
        Directory.CreateDirectory(job.Output);
        if (File.Exists(Path.Combine(job.Output, IntegerManifest.FileName)))
            throw new CheckpointException(job.Output, "output", "a new folder, or that of a run that was stopped", "one that is finished");
        string unfinished = Path.Combine(job.Output, IntegerManifest.UnfinishedName);
        if (!File.Exists(unfinished))
        {
            if (Directory.EnumerateFileSystemEntries(job.Output).FirstOrDefault() is { } stranger)
                throw new CheckpointException(job.Output, "output", "a new folder, or that of a run that was stopped", $"one with {CheckpointException.Show(Path.GetFileName(stranger))}");
            WrittenFolder.Publish(unfinished, empty.Write);
            return empty;
        }

        IntegerManifest found = IntegerManifest.Read(unfinished, isUnfinished: true);
        if ((found.Method, found.Quantization) != (empty.Method, empty.Quantization))
            throw new CheckpointException(unfinished, "quantization", $"{empty.Method}, {empty.Quantization}", $"{found.Method}, {found.Quantization}: a run with other options was stopped here");
        return found.Source == empty.Source ? found : throw new CheckpointException(unfinished, "source", empty.Source, $"{found.Source}: a run of another checkpoint was stopped here");
    }

    private static string MethodOf(QuantizationJob job, ILayerCalibration? calibration) =>
        $"{job.Method.Word()}{(job.IsActOrdered ? ", act-order" : "")}{(calibration is null ? "" : $", calibrated with {calibration.Description}")}";

    // Names, types and shapes of all tensors, and the bytes of all files.
    private static string SourceOf(Checkpoint checkpoint)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (CheckpointTensor tensor in checkpoint.Tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
            hash.AppendData(Encoding.UTF8.GetBytes($"{tensor.Name} {tensor.TypeName} {tensor.Shape}\n"));
        return FormattableString.Invariant($"{checkpoint.Weights}, {checkpoint.FileBytes} bytes, {Convert.ToHexStringLower(hash.GetHashAndReset())[..16]}");
    }
}

/// <summary>What to quantise.</summary>
/// <param name="Model">A checkpoint folder.</param>
/// <param name="Output">A new folder, or that of a run with the same options that was stopped.</param>
/// <param name="Quantization">Formats.</param>
public sealed record QuantizationJob(string Model, string Output, WeightQuantization Quantization)
{
    /// <summary>How the decoder's linears are rounded.</summary>
    public QuantizationMethod Method { get; init; }

    /// <summary>Of <see cref="QuantizationMethod.ErrorFeedback"/>: columns of large inputs are rounded first, and groups are looked up (act-order).</summary>
    public bool IsActOrdered { get; init; }
}

/// <summary>How far a run is.</summary>
/// <param name="Tensor">The last finished one.</param>
/// <param name="DoneBytes">Bytes of finished tensors in the source.</param>
/// <param name="TotalBytes">Of all.</param>
/// <param name="IsTaken">It was finished by an earlier run.</param>
public readonly record struct QuantizationProgress(string Tensor, long DoneBytes, long TotalBytes, bool IsTaken);
