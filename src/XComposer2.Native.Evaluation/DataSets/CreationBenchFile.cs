using System.Text.Json;
using XComposer2.Native.Evaluation.Frames;

namespace XComposer2.Native.Evaluation.DataSets;

/// <summary>CreationBench: a JSON array of questions, with a capability, a reference text and further facts.</summary>
internal static class CreationBenchFile
{
    private static readonly string[] columns = ["index", "question", "capability", "subset", "answer"];

    /// <exception cref="EvaluationException">The file is no such array; the element and the field are named.</exception>
    public static TextTable Read(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            using JsonDocument document = JsonDocument.Parse(stream);
            if (document.RootElement.ValueKind != JsonValueKind.Array)
                throw new EvaluationException($"{path}: expected an array of questions, found {document.RootElement.ValueKind}");
            TextTable table = new(columns);
            foreach (JsonElement element in document.RootElement.EnumerateArray())
                table.Add(Row(element, path, table.Count + 1));
            return table;
        }
        catch (JsonException failure)
        {
            throw new EvaluationException($"{path}: expected JSON: {failure.Message}", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new EvaluationException($"{path}: {failure.Message}", failure);
        }
    }

    private static string[] Row(JsonElement element, string path, int number)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new EvaluationException($"{path}, row {number}: expected an object, found {element.ValueKind}");
        string subset = element.TryGetProperty("others", out JsonElement others) && others.ValueKind == JsonValueKind.Object ? Text(others, "subset") : "";
        return [Required(element, "index", path, number), Required(element, "question", path, number), Text(element, "capability"), subset, Text(element, "ref")];
    }

    private static string Required(JsonElement element, string field, string path, int number) =>
        element.TryGetProperty(field, out _) ? Text(element, field) : throw new EvaluationException($"{path}, row {number}: the field {field} is missing");

    private static string Text(JsonElement element, string field) =>
        !element.TryGetProperty(field, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? "" : value.ToString();
}
