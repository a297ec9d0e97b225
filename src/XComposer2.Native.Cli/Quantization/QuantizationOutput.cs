using System.Globalization;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary>A finished run of <c>xc2 quantize</c> as JSON.</summary>
internal sealed record QuantizationJson(
    string Model, string Output, string Quantization, string Method, int Files, long Bytes, IReadOnlyList<LayerErrorJson> Layers, IReadOnlyList<PromptAgreementJson> Prompts)
{
    public static QuantizationJson Of(QuantizationJob job, IntegerManifest manifest, IReadOnlyList<PromptAgreement> prompts) => new(
        job.Model,
        job.Output,
        manifest.Quantization,
        manifest.Method,
        manifest.Files.Count,
        manifest.Files.Values.Sum(file => file.Bytes),
        [
            .. manifest.Weights.GroupBy(pair => PartOf(pair.Key)).OrderBy(group => group.Key.Order)
                .Select(group => new LayerErrorJson(group.Key.Name, group.Max(pair => pair.Value.RelativeL2), MeanOf(group, weight => weight.RelativeL2) ?? 0)
                {
                    Output = MeanOf(group, weight => weight.OutputError),
                    OutputOfRounding = MeanOf(group, weight => weight.RoundingError),
                }),
        ],
        [.. prompts.Select(prompt => new PromptAgreementJson(prompt.Prompt, prompt.HasPicture, prompt.Tokens, prompt.Agreed, prompt.MeanCosine, prompt.LeastCosine))]);

    private static double? MeanOf(IEnumerable<KeyValuePair<string, IntegerWeight>> weights, Func<IntegerWeight, double?> error)
    {
        double[] found = [.. weights.Select(pair => error(pair.Value)).OfType<double>()];
        return found.Length == 0 ? null : Math.Sqrt(found.Average(value => value * value));
    }

    private static (int Order, string Name) PartOf(string weight)
    {
        string[] words = weight.Split('.');
        return words.Length > 2 && words[1] == "layers" && int.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out int layer)
            ? (layer, string.Create(CultureInfo.InvariantCulture, $"layer {layer + 1}"))
            : ModelTensors.KindOf(weight) switch
            {
                TensorKind.Head => (int.MaxValue, "head"),
                TensorKind.Embedding => (int.MaxValue - 1, "embeddings"),
                _ => (int.MaxValue - 2, "vision"),
            };
    }
}

/// <summary>What rounding lost of the weights of one part of the model, in relative L2: of the worst weight, and the root of the mean square of all.</summary>
internal sealed record LayerErrorJson(string Part, double Largest, double Mean)
{
    /// <summary>Of the linears' results on calibration inputs; null without calibration.</summary>
    public double? Output { get; init; }

    /// <summary>The same with rounding to nearest.</summary>
    public double? OutputOfRounding { get; init; }
}

/// <summary>Agreement on one prompt.</summary>
internal sealed record PromptAgreementJson(string Prompt, bool Picture, int Tokens, int Agreed, double MeanCosine, double LeastCosine);

/// <summary>The same for people.</summary>
internal static class QuantizationText
{
    public static void Write(CliConsole console, QuantizationJson report)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        console.Say(string.Create(culture, $"{report.Quantization} ({report.Method}): {report.Bytes / 1048576.0:n0} MiB in {report.Files} {(report.Files == 1 ? "file" : "files")} of {TerminalText.OneLine(report.Output)}\n"));
        bool isCalibrated = report.Layers.Any(layer => layer.Output is not null);
        console.Say($"\nerror of the weights (relative L2)       mean   largest{(isCalibrated ? "   of results   with rtn" : "")}\n");
        foreach (LayerErrorJson layer in report.Layers)
            console.Say(string.Create(culture, $"  {layer.Part,-34} {layer.Mean,8:f4}  {layer.Largest,8:f4}{(layer.Output is null ? "" : string.Create(culture, $"  {layer.Output,11:f4}  {layer.OutputOfRounding,9:f4}"))}\n"));
        if (report.Prompts.Count == 0)
            return;
        console.Say("\nlogits and greedy choices of the source's answers     cosine, mean and least    agreed\n");
        foreach (PromptAgreementJson prompt in report.Prompts)
            console.Say(string.Create(culture, $"  {(prompt.Picture ? "picture: " : "text: ") + prompt.Prompt,-46} {prompt.MeanCosine,16:f5} {prompt.LeastCosine,9:f5} {$"{prompt.Agreed}/{prompt.Tokens}",9}\n"));
    }
}
