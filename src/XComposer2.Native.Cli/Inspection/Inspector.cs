using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>Collects the facts about an opened checkpoint.</summary>
internal static class Inspector
{
    public static InspectionJson Inspect(Checkpoint checkpoint)
    {
        CheckpointReport report = CheckpointReport.Create(checkpoint.Config, checkpoint.Tensors);
        string? tokenizerProblem = ReadTokenizer(checkpoint, out int? pieces);
        return new InspectionJson
        {
            Directory = checkpoint.Directory,
            Variant = VariantName(checkpoint.Config.Variant),
            Layout = checkpoint.Layout,
            Sizes = SizesOf(checkpoint.Config),
            TokenizerPieces = pieces,
            ConvertedBytes = checkpoint.Tensors.Sum(tensor => checkpoint.AllocatedBytes(tensor.Name)),
            Tensors = [.. Kinds(checkpoint.Tensors)],
            Missing = [.. report.Missing.Select(tensor => InspectedTensor.Of(tensor.Name, tensor.Shape))],
            Unknown = [.. report.Unknown.Select(tensor => InspectedTensor.Of(tensor.Name, tensor.Shape))],
            Ignored = [.. report.Ignored.Select(tensor => InspectedTensor.Of(tensor.Name, tensor.Shape))],
            WrongShape = [.. report.WrongShape.Select(wrong => new InspectedMismatch(wrong.Name, wrong.File, wrong.Expected.AsSpan().ToArray(), wrong.Found.AsSpan().ToArray(), wrong.FoundType))],
            DecoderBiases = [.. report.DecoderBiases.Select(tensor => InspectedTensor.Of(tensor.Name, tensor.Shape))],
            UnmergedLora = [.. report.UnmergedLora.Select(tensor => InspectedTensor.Of(tensor.Name, tensor.Shape))],
            Problems = [.. Problems(checkpoint, report), .. tokenizerProblem is null ? (string[])[] : [tokenizerProblem]],
        };
    }

    /// <summary>Checks all weights, and the checksums of a folder that <c>xc2 quantize</c> wrote.</summary>
    public static InspectionJson CheckValues(InspectionJson inspection, Checkpoint checkpoint, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        string? problem = ProblemOf(() => CheckpointValidator.ValidateAllValues(checkpoint, progress, cancellationToken));
        string? changed = ProblemOf(() => IntegerManifest.TryRead(checkpoint.Directory)?.RequireChecksums(checkpoint.Directory, cancellationToken));
        string[] found = [.. new[] { problem, changed }.OfType<string>()];
        return inspection with { ValuesAreFinite = problem is null, Problems = [.. inspection.Problems.Except(found), .. found] };
    }

    private static IEnumerable<string> Problems(Checkpoint checkpoint, CheckpointReport report)
    {
        if (report.UnmergedLora.Count > 0)
            yield return Count(report.UnmergedLora.Count, "of a LoRA fine-tuning, which is not applied: merge it into the weights first");
        if (report.Missing.Count > 0)
            yield return Count(report.Missing.Count, "missing");
        if (report.WrongShape.Count > 0)
            yield return Count(report.WrongShape.Count, "with a wrong shape or type");
        if (report.DecoderBiases.Count > 0)
            yield return Count(report.DecoderBiases.Count, "with decoder biases, which this model does not support");
        if (report.IsUsable && ProblemOf(() => CheckpointValidator.Validate(checkpoint)) is { } damage)
            yield return damage;
        if (ProblemOf(() => checkpoint.Config.RequireSupportedSizes(Path.Combine(checkpoint.Directory, "config.json"))) is { } unserved)
            yield return unserved;
        if (ProblemOf(() => checkpoint.Config.RequireSupportedImages(checkpoint.Directory)) is { } unsupported)
            yield return unsupported;
    }

    private static string? ProblemOf(Action check)
    {
        try
        {
            check();
            return null;
        }
        catch (CheckpointException error)
        {
            return error.Message;
        }
    }

    private static string? ReadTokenizer(Checkpoint checkpoint, out int? pieces)
    {
        int? found = null;
        string? problem = ProblemOf(() => found = TextTokenizer.Load(checkpoint.Directory, checkpoint.Config.Decoder.VocabularySize).VocabularySize);
        pieces = found;
        return problem;
    }

    private static string Count(int count, string what) => $"{count} tensor{(count == 1 ? "" : "s")} {what}";

    private static IEnumerable<InspectedKind> Kinds(IReadOnlyList<CheckpointTensor> tensors) =>
        tensors.GroupBy(tensor => ModelTensors.KindOf(tensor.Name)).OrderBy(group => group.Key).Select(group => new InspectedKind(
            KindName(group.Key),
            group.Count(),
            [.. group.Select(tensor => tensor.TypeName).Distinct().Order(StringComparer.Ordinal)],
            group.Sum(tensor => ElementCount(tensor.Shape)),
            group.Sum(tensor => tensor.Bytes)));

    // A malformed file may declare an empty tensor whose other dimensions overflow.
    private static long ElementCount(Shape shape) => shape.AsSpan().Contains(0) ? 0 : shape.ElementCount;

    private static InspectedSizes SizesOf(ModelConfig config)
    {
        (DecoderConfig decoder, VisionConfig vision) = (config.Decoder, config.Vision);
        DecoderPlora plora = decoder.Plora;
        return new InspectedSizes(
            decoder.VocabularySize, decoder.HiddenSize, decoder.LayerCount, decoder.Attention.QueryHeads, decoder.Attention.KeyValueHeads, decoder.Attention.HeadSize,
            decoder.IntermediateSize, [plora.Wqkv.Rank, plora.Wo.Rank, plora.W1.Rank, plora.W3.Rank, plora.W2.Rank],
            vision.LayerCount, vision.Width, vision.HeadCount, vision.PatchSize, config.ImageSize, config.TokensPerImage, config.ContextLength);
    }

    private static string VariantName(ModelVariant variant) => variant switch
    {
        ModelVariant.VisionLanguage7B => ModelPresets.VisionLanguage7B,
        ModelVariant.Composition7B => ModelPresets.Composition7B,
        ModelVariant.VisionLanguage1B8 => ModelPresets.VisionLanguage1B8,
        ModelVariant.HighResolution7B => "internlm-xcomposer2-4khd-7b",
        _ => "other",
    };

    private static string KindName(TensorKind kind) => kind switch
    {
        TensorKind.FeedForward => "feed-forward",
        TensorKind.PartialLora => "partial LoRA",
        _ => kind.ToString().ToLowerInvariant(),
    };
}
