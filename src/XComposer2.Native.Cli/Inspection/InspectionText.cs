using System.Globalization;
using Spectre.Console;

namespace XComposer2.Native.Cli;

/// <summary>Prints an inspection: the same text on a terminal and in a pipe, coloured on a terminal.</summary>
internal sealed class InspectionText(IAnsiConsole console)
{
    private const int ShownNames = 8;
    private static readonly string[] ByteUnits = ["B", "kB", "MB", "GB", "TB"];

    public void Write(InspectionJson inspection)
    {
        Line(TerminalText.OneLine(inspection.Directory), "bold");
        WriteFacts(inspection);
        WriteTensors(inspection);
        WriteNames("missing", inspection.Missing, "red");
        WriteNames("wrong", inspection.WrongShape, "red");
        WriteNames("decoder biases", inspection.DecoderBiases, "red");
        WriteNames("LoRA, not merged", inspection.UnmergedLora, "red");
        WriteNames("unknown, not used", inspection.Unknown, "yellow");
        WriteNames("known, not used", inspection.Ignored, "default");
        WriteVerdict(inspection);
    }

    /// <summary>For example <c>17.33 GB</c>, in decimal units as on download pages.</summary>
    public static string Size(long bytes)
    {
        double value = bytes;
        int unit = 0;
        for (; value >= 1000 && unit < ByteUnits.Length - 1; unit++)
            value /= 1000;
        return value.ToString(unit == 0 ? "0" : "0.00", CultureInfo.InvariantCulture) + " " + ByteUnits[unit];
    }

    private void WriteFacts(InspectionJson inspection)
    {
        InspectedSizes sizes = inspection.Sizes;
        Fact("model", inspection.Variant == "other" ? "unknown: not the sizes of a published model" : inspection.Variant);
        Fact("files", inspection.Layout);
        Fact("decoder", $"{sizes.Layers} layers, hidden {sizes.Hidden}, feed-forward {sizes.Intermediate}, vocabulary {sizes.Vocabulary}");
        Fact("attention", $"{sizes.Heads} heads of {sizes.HeadSize}, {sizes.KvHeads} key/value heads");
        Fact("partial LoRA", Ranks(sizes.PloraRanks));
        Fact("vision", $"{sizes.VisionLayers} layers, width {sizes.VisionWidth}, {sizes.VisionHeads} heads, patches of {sizes.PatchSize} pixels");
        Fact("pictures", $"{sizes.ImageSize} x {sizes.ImageSize} pixels, {sizes.TokensPerImage} tokens each");
        Fact("context", $"{sizes.ContextLength} tokens");
        if (inspection.ConvertedBytes > 0)
            Fact("memory", $"{Size(inspection.ConvertedBytes)} for weights converted while loading");
        Fact("tokenizer", inspection.TokenizerPieces is { } pieces ? $"tokenizer.model, {pieces} pieces" : "none usable");
    }

    private static string Ranks(IReadOnlyList<int> ranks) => ranks.Distinct().Count() == 1
        ? ranks[0] == 0 ? "none" : $"rank {ranks[0]} on all five linears"
        : $"ranks {string.Join(", ", ranks)} of wqkv, wo, w1, w3, w2";

    private void WriteTensors(InspectionJson inspection)
    {
        Line("");
        Line($"  {"part",-14}{"tensors",8}{"numbers",18}{"size",12}  types", "bold");
        foreach (InspectedKind kind in inspection.Tensors)
            Line(Row(kind.Kind, kind.Count, kind.Elements, kind.Bytes) + "  " + string.Join(", ", kind.Types));
        Line(Row("all", inspection.Tensors.Sum(kind => kind.Count), inspection.Tensors.Sum(kind => kind.Elements), inspection.Tensors.Sum(kind => kind.Bytes)));
    }

    private static string Row(string name, int count, long elements, long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"  {name,-14}{count,8}{elements,18:N0}{Size(bytes),12}");

    private void WriteNames<T>(string title, IReadOnlyList<T> items, string color)
    {
        if (items.Count == 0)
            return;
        Line("");
        Line($"  {title} ({items.Count})", color);
        foreach (T item in items.Take(ShownNames))
            Line($"    {TerminalText.OneLine($"{item}")}");
        if (items.Count > ShownNames)
            Line($"    and {items.Count - ShownNames} more; --json lists all");
    }

    private void WriteVerdict(InspectionJson inspection)
    {
        Line("");
        if (inspection.ValuesAreFinite == true)
            Line("  All weights are finite.");
        if (inspection.Usable)
            Line("  Usable.", "green");
        foreach (string problem in inspection.Problems)
            Line($"  Not usable: {TerminalText.OneLine(problem)}.", "red");
    }

    private void Fact(string name, string value) => Line($"  {name,-14}{TerminalText.OneLine(value)}");

    private void Line(string text, string style = "default") => console.WriteLine(text, Style.Parse(style));
}
