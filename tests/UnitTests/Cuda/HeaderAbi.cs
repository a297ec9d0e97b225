using System.Text.Json;
using System.Text.Json.Serialization;

namespace XComposer2.Native.UnitTests;

/// <summary>The ABI of the CUDA headers: <c>tests/golden/cuda-driver/abi.json</c>.</summary>
public sealed class HeaderAbi
{
    private readonly JsonElement root;

    private HeaderAbi(JsonElement root) => this.root = root;

    public static HeaderAbi Read() => new(JsonDocument.Parse(File.ReadAllText(TestPaths.Golden("cuda-driver/abi.json"))).RootElement);

    /// <summary>The C arguments of a function by exported symbol; null if the header does not declare it.</summary>
    public string[]? Arguments(string symbol)
    {
        foreach (JsonElement function in root.GetProperty("functions").EnumerateArray().Concat(root.GetProperty("nvrtc").EnumerateArray()))
        {
            if (function.GetProperty("symbol").GetString() != symbol) continue;
            string arguments = function.GetProperty("arguments").GetString()!;
            return arguments == "void" ? [] : arguments.Split(',', StringSplitOptions.TrimEntries);
        }
        return null;
    }

    public HeaderStruct Struct(string name) => root.GetProperty("structs").GetProperty(name).Deserialize<HeaderStruct>()!;

    public IReadOnlyDictionary<string, long> Enum(string name) =>
        root.GetProperty("enums").GetProperty(name).EnumerateObject().ToDictionary(member => member.Name, member => member.Value.GetInt64());

    /// <param name="Size">Size in bytes.</param>
    /// <param name="Fields">Offset and size of each field.</param>
    public sealed record HeaderStruct(
        [property: JsonPropertyName("size")] int Size,
        [property: JsonPropertyName("fields")] IReadOnlyDictionary<string, int[]> Fields);
}
