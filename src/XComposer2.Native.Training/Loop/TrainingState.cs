using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Training;

/// <summary>
/// The state of a run in its folder: <c>state-STEP.safetensors</c> with values and running means in F32, and <c>state.json</c>, which names it. Both appear whole; the second one
/// is written last, so that a run which is killed at any moment finds the state before.
/// </summary>
internal sealed class TrainingState(string folder, JsonObject settings)
{
    private const string FileName = "state.json";

    private static readonly ParameterPart[] parts = [ParameterPart.Values, ParameterPart.FirstMoment, ParameterPart.SecondMoment];

    /// <summary>What decides the course of a run: a state of other settings is refused.</summary>
    public static JsonObject Settings(TrainingRecipe recipe, TrainingRunOptions options, ISampleSource source, Trainer trainer)
    {
        JsonObject settings = new()
        {
            ["recipe"] = recipe.Name,
            ["rate"] = recipe.Rate,
            ["rank"] = recipe.Adapter?.Rank ?? 0,
            ["model"] = Path.GetFileName(Path.TrimEndingDirectorySeparator(trainer.Directory)),
            ["frozen"] = trainer.Quantization,
            ["steps"] = options.Steps,
        };
        foreach ((string name, JsonNode? value) in source.Settings)
            settings[name] = value?.DeepClone();
        return settings;
    }

    /// <summary>Saves the parameters as they are after a step, and which samples were left out until then.</summary>
    public void Save(IParameterMemory parameters, int step, IReadOnlyDictionary<long, string> leftOut)
    {
        string name = FormattableString.Invariant($"state-{step:D8}.safetensors");
        List<(HostTensorName Tensor, int Parameter, ParameterPart Part)> tensors =
        [
            .. parts.SelectMany(part => parameters.Parameters.Select((parameter, number) => (new HostTensorName(NameOf(part, parameter.Name), DType.F32, parameter.Shape), number, part))),
        ];
        Dictionary<string, (int Parameter, ParameterPart Part)> places = tensors.ToDictionary(tensor => tensor.Tensor.Name, tensor => (tensor.Parameter, tensor.Part), StringComparer.Ordinal);
        SafetensorsWriter.Write(Path.Combine(folder, name), [.. tensors.Select(tensor => tensor.Tensor)], tensor =>
        {
            (int parameter, ParameterPart part) = places[tensor.Name];
            return SafetensorsWriter.BytesOf(parameters.Read(parameter, part), DType.F32);
        });
        JsonObject state = new()
        {
            ["step"] = step,
            ["file"] = name,
            ["settings"] = settings.DeepClone(),
            ["left_out"] = new JsonObject(leftOut.Select(sample => KeyValuePair.Create(sample.Key.ToString(CultureInfo.InvariantCulture), (JsonNode?)sample.Value))),
        };
        WrittenFolder.Publish(Path.Combine(folder, FileName), stream => stream.Write(Encoding.UTF8.GetBytes(state.ToJsonString())));
        foreach (string old in Directory.EnumerateFiles(folder, "state-*.safetensors*"))
            if (Path.GetFileName(old) != name)
                File.Delete(old);
    }

    /// <returns>Steps that were made; 0 where there is no state.</returns>
    /// <exception cref="TrainingDataException">The state is of a run with other settings, or damaged.</exception>
    public int Load(IParameterMemory parameters, IDictionary<long, string> leftOut)
    {
        // What a run that was killed had not finished writing.
        foreach (string pattern in (string[])[FileName + ".*.tmp", TrainingLog.CurveName + ".*.tmp"])
            foreach (string torn in Directory.EnumerateFiles(folder, pattern))
                File.Delete(torn);
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return 0;
        (int step, string file) = Read(path, leftOut);
        using TensorFile tensors = TensorFile.OpenSafetensors(Path.Combine(folder, file));
        for (int i = 0; i < parameters.Parameters.Length; i++)
            foreach (ParameterPart part in parts)
            {
                ParameterSpec parameter = parameters.Parameters[i];
                string name = NameOf(part, parameter.Name);
                if (!tensors.TryGet(name, out HostTensor tensor) || tensor.Type != DType.F32 || tensor.Shape != parameter.Shape)
                    throw new TrainingDataException($"{tensors.Path}, tensor '{name}': expected F32 {parameter.Shape}, found {(tensor.Data == 0 ? "none" : $"{tensor.Type} {tensor.Shape}")}");
                HostTensorValues.ToFloats(tensor).CopyTo(parameters.Read(i, part));
            }

        return step;
    }

    private (int Step, string File) Read(string path, IDictionary<long, string> leftOut)
    {
        try
        {
            JsonNode state = JsonNode.Parse(File.ReadAllBytes(path))!;
            foreach ((string name, JsonNode? value) in settings)
            {
                string found = state["settings"]?[name]?.ToJsonString() ?? "none", expected = value?.ToJsonString() ?? "none";
                if (found != expected)
                    throw new TrainingDataException($"{path}, settings.{name}: expected {expected}, as this run has it, found {found}; train into another folder, or with the same settings");
            }

            foreach ((string number, JsonNode? reason) in state["left_out"]!.AsObject())
                leftOut[long.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture)] = reason!.GetValue<string>();
            return (state["step"]!.GetValue<int>(), state["file"]!.GetValue<string>());
        }
        catch (Exception error) when (error is JsonException or NullReferenceException or InvalidOperationException or FormatException or OverflowException)
        {
            throw new TrainingDataException($"{path}: expected the state of a run, found {error.Message}", error);
        }
    }

    private static string NameOf(ParameterPart part, string parameter) => $"{part}.{parameter}";
}
