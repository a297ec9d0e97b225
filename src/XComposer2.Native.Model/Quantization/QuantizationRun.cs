using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>One run of <see cref="CheckpointQuantizer"/>, from what is finished to the manifest.</summary>
/// <param name="checkpoint">The source.</param>
/// <param name="job">What to do.</param>
/// <param name="calibration">Null where weights are rounded to nearest.</param>
/// <param name="finished">What an earlier run has left.</param>
/// <param name="progress">Told of each finished tensor; null for no one.</param>
internal sealed unsafe class QuantizationRun(Checkpoint checkpoint, QuantizationJob job, ILayerCalibration? calibration, IntegerManifest finished, IProgress<QuantizationProgress>? progress)
{
    private const int PieceBytes = 16 << 20;

    private readonly long totalBytes = checkpoint.Tensors.Where(tensor => tensor.Type is not null).Sum(tensor => tensor.Bytes);

    private long doneBytes;

    private LayerQuantizer? layer;

    /// <summary>Writes all that is missing.</summary>
    public IntegerManifest Finish(CancellationToken cancellation)
    {
        CheckpointTensor[][] shards = Split();
        var index = new List<(string Tensor, string Shard)>();
        for (int i = 0; i < shards.Length; i++)
        {
            string name = WrittenFolder.ShardName(i, shards.Length), path = Path.Combine(job.Output, name);
            bool isTaken = finished.Files.TryGetValue(name, out WeightFile file) && File.Exists(path) && new FileInfo(path).Length == file.Bytes;
            if (!isTaken)
                Write(shards[i], name, path, cancellation);
            index.AddRange(shards[i].SelectMany(PartsOf).Select(part => (part.Name, name)));
            if (isTaken)
                foreach (CheckpointTensor tensor in shards[i])
                    Report(tensor, isTaken: true);
        }

        if (shards.Length > 1)
            WrittenFolder.WriteIndex(job.Output, index, finished.Files.Values.Sum(file => file.Bytes));
        WrittenFolder.CopyRest(job.Model, job.Output);
        WrittenFolder.Publish(Path.Combine(job.Output, IntegerManifest.FileName), finished.Write);
        File.Delete(Path.Combine(job.Output, IntegerManifest.UnfinishedName));
        return finished;
    }

    /// <summary>A file for each layer, one for the picture's part, one for what is left.</summary>
    private CheckpointTensor[][] Split() =>
    [
        .. checkpoint.Tensors.Where(tensor => tensor.Type is not null).GroupBy(tensor => PartOf(tensor.Name)).OrderBy(group => group.Key).Select(group => group.OrderBy(tensor => tensor.Name, StringComparer.Ordinal).ToArray()),
    ];

    private static int PartOf(string name)
    {
        const string Layers = "model.layers.";
        if (name.StartsWith(Layers, StringComparison.Ordinal) && int.TryParse(name.AsSpan(Layers.Length, name.AsSpan(Layers.Length).IndexOf('.')), NumberStyles.None, CultureInfo.InvariantCulture, out int layer))
            return layer;
        return ModelTensors.KindOf(name) is TensorKind.Vision or TensorKind.Projector ? int.MaxValue - 1 : int.MaxValue;
    }

    private void Write(CheckpointTensor[] tensors, string name, string path, CancellationToken cancellation)
    {
        var quantized = new Dictionary<string, (IQuantizedMatrix Matrix, IntegerWeight Weight)>();
        try
        {
            if (calibration is not null && PartOf(tensors[0].Name) is var number and < int.MaxValue - 1)
                layer = LayerQuantizer.Of(number, calibration, job, TryGet, FormatToMake, cancellation);
            foreach (CheckpointTensor tensor in tensors)
            {
                cancellation.ThrowIfCancellationRequested();
                if (FormatToMake(tensor.Name) is { } format)
                    quantized.Add(tensor.Name, Quantize(tensor, format, cancellation));
                Report(tensor, isTaken: false);
            }

            string written = "";
            WrittenFolder.Publish(path, stream => written = WriteShard(stream, tensors, quantized, cancellation));
            string found = IntegerManifest.ChecksumOf(path);
            if (found != written)
                throw new CheckpointException(path, "checksum", written, $"{found}: the file reads otherwise than it was written");
            finished = finished with
            {
                Files = finished.Files.SetItem(name, new WeightFile(new FileInfo(path).Length, found)),
                Weights = finished.Weights.SetItems(tensors.Select(tensor => (tensor.Name, Weight: WeightOf(tensor, quantized))).Where(pair => pair.Weight is not null)
                    .Select(pair => KeyValuePair.Create(pair.Name, pair.Weight!.Value))),
            };
            WrittenFolder.Publish(Path.Combine(job.Output, IntegerManifest.UnfinishedName), finished.Write);
        }
        finally
        {
            foreach ((IQuantizedMatrix matrix, _) in quantized.Values)
                matrix.Dispose();
            layer?.Dispose();
            layer = null;
        }
    }

    private IntegerWeight? WeightOf(CheckpointTensor tensor, Dictionary<string, (IQuantizedMatrix Matrix, IntegerWeight Weight)> quantized)
    {
        if (quantized.TryGetValue(tensor.Name, out (IQuantizedMatrix, IntegerWeight Weight) made))
            return made.Weight;
        return checkpoint.TryGetFormat(tensor.Name, out WeightFormat stored) && !stored.IsFloat ? new IntegerWeight(stored, tensor.Shape, 0) : null;
    }

    // Null for what is written as it is.
    private WeightFormat? FormatToMake(string name)
    {
        if (!checkpoint.TryGetFormat(name, out WeightFormat stored) || !stored.IsFloat || job.Quantization.FormatOf(name) is not { } format)
            return null;
        bool isOrdered = job.IsActOrdered && format.GroupSize > 0 && LayerInputs.InputOf(name) is not null;
        return isOrdered ? WeightFormat.Grouped(format.Elements.ElementBits(), format.GroupSize, format.HasZeroPoints, hasGroupIndex: true) : format;
    }

    private (IQuantizedMatrix Matrix, IntegerWeight Weight) Quantize(CheckpointTensor tensor, WeightFormat format, CancellationToken cancellation)
    {
        HostTensor weights = Get(tensor.Name);
        IQuantizedMatrix matrix;
        try
        {
            matrix = layer is null ? WeightQuantizer.Quantize(weights, format, tensor.Name, cancellation) : layer.Quantize(weights, format, tensor.Name, cancellation);
        }
        catch (InvalidDataException error)
        {
            throw new CheckpointException(tensor.File, $"tensor {CheckpointException.Show(tensor.Name)}", "weights that can be quantised", error.Message, error);
        }

        var weight = new IntegerWeight(format, weights.Shape, QuantizationError.RelativeL2(weights, format, matrix));
        if (layer is not null)
            weight = layer.Measure(weight, weights, Stored(tensor.Name), matrix, tensor.Name);
        checkpoint.Release(tensor.Name);
        return (matrix, weight);
    }

    /// <summary>Names, types and shapes in the file.</summary>
    private IEnumerable<(string Name, DType Type, Shape Shape)> PartsOf(CheckpointTensor tensor)
    {
        WeightFormat? format = FormatToMake(tensor.Name) ?? (checkpoint.TryGetFormat(tensor.Name, out WeightFormat stored) && !stored.IsFloat ? stored : null);
        if (format is not { } integers)
        {
            yield return (tensor.Name, tensor.Type!.Value, tensor.Shape);
            yield break;
        }

        foreach (WeightPartSpec part in integers.Parts(tensor.Shape))
        {
            (DType type, Shape shape) = IntegerWeights.Stored(part);
            yield return (WeightFormat.NameOf(tensor.Name, part.Part), type, shape);
        }
    }

    private string WriteShard(Stream stream, CheckpointTensor[] tensors, Dictionary<string, (IQuantizedMatrix Matrix, IntegerWeight Weight)> quantized, CancellationToken cancellation)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(WrittenFolder.Header(tensors.SelectMany(PartsOf)));
        foreach (CheckpointTensor tensor in tensors)
        {
            foreach ((string name, _, _) in PartsOf(tensor))
            {
                HostTensor part = quantized.TryGetValue(tensor.Name, out (IQuantizedMatrix Matrix, IntegerWeight) made) ? made.Matrix[WeightFormat.Parse(name).Part] : Get(name);
                for (long start = 0; start < part.Bytes; start += PieceBytes)
                {
                    cancellation.ThrowIfCancellationRequested();
                    Append(new ReadOnlySpan<byte>((void*)(part.Data + (nint)start), (int)Math.Min(PieceBytes, part.Bytes - start)));
                }
            }

            checkpoint.Release(tensor.Name);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Append(ReadOnlySpan<byte> bytes)
        {
            hash.AppendData(bytes);
            stream.Write(bytes);
        }
    }

    // As it is written: a layer may have been scaled.
    private HostTensor Get(string name) => layer is not null && layer.TryGetScaled(name, out HostTensor scaled) ? scaled : Stored(name);

    private HostTensor Stored(string name) => TryGet(name) ?? throw new InvalidOperationException($"{name} was there when the checkpoint was opened");

    private HostTensor? TryGet(string name) => checkpoint.TryGet(name, out HostTensor found) ? found : null;

    private void Report(CheckpointTensor tensor, bool isTaken)
    {
        doneBytes += tensor.Bytes;
        progress?.Report(new QuantizationProgress(tensor.Name, doneBytes, totalBytes, isTaken));
    }
}
