using System.Buffers.Binary;
using System.Text.Json;

namespace XComposer2.Demo.Checking;

/// <summary>A copy of a checkpoint whose Partial LoRA does nothing: its second matrices are zero. Deleted when disposed.</summary>
public sealed class PartialLoraRemoval : IDisposable
{
    private const string Weights = "model.safetensors", SecondMatrix = ".Plora_B.";
    private const int LengthBytes = 8;

    private readonly DirectoryInfo folder;

    /// <param name="directory">A checkpoint of one file, model.safetensors.</param>
    /// <exception cref="IOException">The checkpoint cannot be read.</exception>
    public PartialLoraRemoval(string directory)
    {
        folder = Directory.CreateTempSubdirectory("toy-world-");
        foreach (string file in Directory.EnumerateFiles(directory))
            File.Copy(file, Path.Combine(Folder, Path.GetFileName(file)));
        string weights = Path.Combine(Folder, Weights);
        byte[] bytes = File.ReadAllBytes(weights);
        int start = checked(LengthBytes + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes));
        using (JsonDocument header = JsonDocument.Parse(bytes.AsMemory(LengthBytes, start - LengthBytes)))
        {
            foreach (JsonProperty tensor in header.RootElement.EnumerateObject().Where(each => each.Name.Contains(SecondMatrix, StringComparison.Ordinal)))
            {
                JsonElement offsets = tensor.Value.GetProperty("data_offsets");
                bytes.AsSpan((start + offsets[0].GetInt32())..(start + offsets[1].GetInt32())).Clear();
            }
        }

        File.WriteAllBytes(weights, bytes);
    }

    /// <summary>The copy.</summary>
    public string Folder => folder.FullName;

    public void Dispose() => folder.Delete(recursive: true);
}
