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
                .Select(group => new LayerErrorJson(group.Key.Name, group.Max(pair => pair.Value.RelativeL2), Math.Sqrt(group.Average(pair => pair.Value.RelativeL2 * pair.Value.RelativeL2)))),
        ],
        [.. prompts.Select(prompt => new PromptAgreementJson(prompt.Prompt, prompt.HasPicture, prompt.Tokens, prompt.Agreed, prompt.MeanCosine, prompt.LeastCosine))]);

    private static (int Order, string Name) PartOf(string weight)
    {
        string[] words = weight.Split('.');
        return words.Length > 2 && words[1] == "layers" && int.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out int layer)
            ? (layer, string.Create(CultureInfo.InvariantCulture, $"layer {layer + 1}"))
            : ModelTensors.KindOf(weight) == TensorKind.Head ? (int.MaxValue, "head") : (int.MaxValue - 1, "vision");
    }
}

/// <summary>What rounding lost of the weights of one part of the model, in relative L2: of the worst weight, and the root of the mean square of all.</summary>
internal sealed record LayerErrorJson(string Part, double Largest, double Mean);

/// <summary>Agreement on one prompt.</summary>
internal sealed record PromptAgreementJson(string Prompt, bool Picture, int Tokens, int Agreed, double MeanCosine, double LeastCosine);

/// <summary>The same for people.</summary>
internal static class QuantizationText
{
    public static void Write(CliConsole console, QuantizationJson report)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        console.Say(string.Create(culture, $"{report.Quantization} ({report.Method}): {report.Bytes / 1048576.0:n0} MiB in {report.Files} {(report.Files == 1 ? "file" : "files")} of {TerminalText.OneLine(report.Output)}\n"));
        console.Say("\nerror of the weights (relative L2)       mean   largest\n");
        foreach (LayerErrorJson layer in report.Layers)
            console.Say(string.Create(culture, $"  {layer.Part,-34} {layer.Mean,8:f4}  {layer.Largest,8:f4}\n"));
        if (report.Prompts.Count == 0)
            return;
        console.Say("\nlogits and greedy choices of the source's answers     cosine, mean and least    agreed\n");
        foreach (PromptAgreementJson prompt in report.Prompts)
            console.Say(string.Create(culture, $"  {(prompt.Picture ? "picture: " : "text: ") + prompt.Prompt,-46} {prompt.MeanCosine,16:f5} {prompt.LeastCosine,9:f5} {$"{prompt.Agreed}/{prompt.Tokens}",9}\n"));
    }
}
