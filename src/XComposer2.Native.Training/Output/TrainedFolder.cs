using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.Training;

/// <summary>What training leaves behind: a checkpoint in the published layout, or an adapter in PEFT's.</summary>
internal static class TrainedFolder
{
    /// <summary>Writes the whole model: trained weights rounded once to the type that they were stored in, all else byte for byte.</summary>
    public static void WriteModel(string folder, Checkpoint checkpoint, IParameterMemory parameters)
    {
        System.IO.Directory.CreateDirectory(folder);
        Dictionary<string, int> trained = Numbers(parameters);
        HostTensorName[] tensors = [.. checkpoint.Tensors.Where(tensor => tensor.Type is not null).Select(tensor => new HostTensorName(tensor.Name, tensor.Type!.Value, ShapeOf(tensor)))];
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), tensors, tensor =>
        {
            if (trained.TryGetValue(tensor.Name, out int parameter))
                return SafetensorsWriter.BytesOf(parameters.Read(parameter, ParameterPart.Values), tensor.Type);
            return checkpoint.TryGet(tensor.Name, out HostTensor stored) ? SafetensorsWriter.BytesOf(stored) : throw new InvalidOperationException($"{tensor.Name} was there when the checkpoint was opened");
        });
        WrittenFolder.CopyRest(checkpoint.Directory, folder);

        // A position table is trained at the size of the model's pictures.
        Shape ShapeOf(CheckpointTensor tensor) => trained.TryGetValue(tensor.Name, out int parameter) ? parameters.Parameters[parameter].Shape : tensor.Shape;
    }

    /// <summary>Writes <c>adapter_model.safetensors</c> in F32 and <c>adapter_config.json</c>.</summary>
    public static void WriteAdapter(string folder, IParameterMemory parameters, AdapterSettings settings, string baseModel)
    {
        System.IO.Directory.CreateDirectory(folder);
        Dictionary<string, int> trained = Numbers(parameters);
        HostTensorName[] tensors = [.. parameters.Parameters.Select(parameter => new HostTensorName(parameter.Name, DType.F32, parameter.Shape))];
        SafetensorsWriter.Write(
            Path.Combine(folder, "adapter_model.safetensors"), tensors, tensor => SafetensorsWriter.BytesOf(parameters.Read(trained[tensor.Name], ParameterPart.Values), DType.F32));
        JsonObject config = new()
        {
            ["peft_type"] = "LORA",
            ["task_type"] = "CAUSAL_LM",
            ["base_model_name_or_path"] = Path.GetFileName(Path.TrimEndingDirectorySeparator(baseModel)),
            ["r"] = settings.Rank,
            ["lora_alpha"] = settings.Alpha,
            ["lora_dropout"] = Math.Round(settings.Dropout, 6),
            ["bias"] = "none",
            ["fan_in_fan_out"] = false,
            ["inference_mode"] = true,
            ["target_modules"] = new JsonArray([.. AdapterSettings.Modules.Select(module => JsonValue.Create(module))]),
        };
        using var text = new MemoryStream();
        using (var writer = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = true }))
            config.WriteTo(writer);
        WrittenFolder.Publish(Path.Combine(folder, "adapter_config.json"), stream => stream.Write(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text.ToArray()) + "\n")));
    }

    private static Dictionary<string, int> Numbers(IParameterMemory parameters) =>
        parameters.Parameters.Select((parameter, number) => (parameter.Name, number)).ToDictionary(pair => pair.Name, pair => pair.number, StringComparer.Ordinal);
}
