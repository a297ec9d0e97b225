using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>One run of <see cref="CheckpointQuantizer"/>, from what is finished to the manifest.</summary>
internal sealed unsafe class QuantizationRun(Checkpoint checkpoint, QuantizationJob job, IntegerManifest finished, IProgress<QuantizationProgress>? progress)
{
    private const int PieceBytes = 16 << 20;

    private readonly long totalBytes = checkpoint.Tensors.Where(tensor => tensor.Type is not null).Sum(tensor => tensor.Bytes);

    private long doneBytes;

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
        }
    }

    private IntegerWeight? WeightOf(CheckpointTensor tensor, Dictionary<string, (IQuantizedMatrix Matrix, IntegerWeight Weight)> quantized)
    {
        if (quantized.TryGetValue(tensor.Name, out (IQuantizedMatrix, IntegerWeight Weight) made))
            return made.Weight;
        return checkpoint.TryGetFormat(tensor.Name, out WeightFormat stored) && !stored.IsFloat ? new IntegerWeight(stored, tensor.Shape, 0) : null;
    }

    // Null for what is written as it is.
    private WeightFormat? FormatToMake(string name) => checkpoint.TryGetFormat(name, out WeightFormat stored) && stored.IsFloat ? job.Quantization.FormatOf(name) : null;

    private (IQuantizedMatrix Matrix, IntegerWeight Weight) Quantize(CheckpointTensor tensor, WeightFormat format, CancellationToken cancellation)
    {
        HostTensor weights = Get(tensor.Name);
        IQuantizedMatrix matrix;
        try
        {
            matrix = WeightQuantizer.Quantize(weights, format, tensor.Name, cancellation);
        }
        catch (InvalidDataException error)
        {
            throw new CheckpointException(tensor.File, $"tensor {CheckpointException.Show(tensor.Name)}", "weights that can be quantised", error.Message, error);
        }

        double error2 = QuantizationError.RelativeL2(weights, format, matrix);
        checkpoint.Release(tensor.Name);
        return (matrix, new IntegerWeight(format, weights.Shape, error2));
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

    private HostTensor Get(string name) => checkpoint.TryGet(name, out HostTensor found) ? found : throw new InvalidOperationException($"{name} was there when the checkpoint was opened");

    private void Report(CheckpointTensor tensor, bool isTaken)
    {
        doneBytes += tensor.Bytes;
        progress?.Report(new QuantizationProgress(tensor.Name, doneBytes, totalBytes, isTaken));
    }
}

/// <summary>What integers lose of a matrix.</summary>
internal static unsafe class QuantizationError
{
    /// <summary>Root of the squared differences over that of the squared weights; 0 of a matrix of zeros.</summary>
    public static double RelativeL2(HostTensor weights, WeightFormat format, IQuantizedMatrix integers)
    {
        (int rows, int columns) = (weights.Shape[0], weights.Shape[1]);
        double[] errors = new double[rows], norms = new double[rows];
        Parallel.For(0, rows, row =>
        {
            float[] exact = new float[columns], found = new float[columns];
            FloatWidening.Widen(weights, (long)row * columns, exact);
            IntegerWidening.Widen(integers, format, row, found);
            double error = 0, norm = 0;
            for (int i = 0; i < columns; i++)
            {
                double difference = found[i] - exact[i];
                error += difference * difference;
                norm += (double)exact[i] * exact[i];
            }

            (errors[row], norms[row]) = (error, norm);
        });
        double total = norms.Sum();
        return total == 0 ? 0 : Math.Sqrt(errors.Sum() / total);
    }
}

/// <summary>A row of integers as floats, with scales and zero points applied.</summary>
internal static unsafe class IntegerWidening
{
    /// <param name="matrix">Of any format of integers.</param>
    /// <param name="format">Its format.</param>
    /// <param name="row">Which row.</param>
    /// <param name="values">[columns].</param>
    public static void Widen(IQuantizedMatrix matrix, WeightFormat format, int row, Span<float> values)
    {
        int columns = values.Length, groups = format.Groups(columns), bits = format.Elements.ElementBits();
        byte* packed = (byte*)matrix[WeightPart.Elements].Data + (row * format.Elements.Bytes(columns));
        nint first = (nint)row * groups, scales = matrix[WeightPart.Scales].Data;
        byte* zeros = format.HasZeroPoints ? (byte*)matrix[WeightPart.ZeroPoints].Data + first : null;
        int* index = format.HasGroupIndex ? (int*)matrix[WeightPart.GroupIndex].Data : null;
        for (int column = 0; column < columns; column++)
        {
            int group = index is not null ? index[column] : format.GroupSize == 0 ? 0 : column / format.GroupSize;
            float scale = format.ScaleType == DType.F32 ? ((float*)scales)[first + group] : (float)((Half*)scales)[first + group];
            int value = bits == 8 ? packed[column] : (packed[column / 2] >> (4 * (column % 2))) & 0xF;
            if (!format.HasZeroPoints && value >= 1 << (bits - 1))
                value -= 1 << bits;
            values[column] = (value - (zeros is null ? 0 : zeros[group])) * scale;
        }
    }
}
