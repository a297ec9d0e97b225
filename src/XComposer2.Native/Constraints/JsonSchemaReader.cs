using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace XComposer2.Native;

/// <summary>
/// Turns a JSON schema into a grammar whose texts all fit the schema; not every fitting text is one of them: members stand in the order of the schema, and
/// names that it does not list occur only where it lists none. Keywords that a grammar cannot hold are refused by name; remarks (title, description, ...) are ignored.
/// </summary>
internal sealed class JsonSchemaReader
{
    private const int MaximumDepth = 64, MaximumSchemas = 10_000, MaximumMembers = 512, MaximumCount = 4096, MaximumRange = 1000;

    private static readonly string[] remarks = ["title", "description", "default", "examples", "$comment", "$schema", "$id", "deprecated", "readOnly", "writeOnly", "format", "$defs", "definitions", "contentMediaType", "contentEncoding"];

    private static readonly string[] known =
        ["type", "properties", "required", "additionalProperties", "items", "prefixItems", "minItems", "maxItems", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "minLength", "maxLength", "minimum", "maximum"];

    private static readonly JsonWriterOptions literal = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Grammar.Builder grammar = new();
    private readonly Dictionary<string, GrammarElement> references = new(StringComparer.Ordinal);
    private readonly JsonElement root;
    private readonly JsonGrammar json;
    private int schemas;

    private JsonSchemaReader(JsonElement root)
    {
        this.root = root;
        int text = grammar.AddRule(), whole = grammar.AddRule();
        json = new JsonGrammar(grammar);
        references["#"] = GrammarElement.OfRule(whole);
        grammar.AddAlternative(text, json.Space, references["#"]);
        grammar.AddAlternative(whole, Schema(root, "schema", 0));
    }

    /// <summary>A grammar of all objects.</summary>
    public static Grammar AnyObject()
    {
        var grammar = new Grammar.Builder();
        int text = grammar.AddRule();
        var json = new JsonGrammar(grammar);
        grammar.AddAlternative(text, json.Space, json.Object);
        return grammar.Build();
    }

    /// <exception cref="EngineException">The schema is invalid, too large, or has a keyword that is not supported; the message names it.</exception>
    public static Grammar Read(JsonElement schema) => new JsonSchemaReader(schema).grammar.Build();

    private GrammarElement Schema(JsonElement schema, string path, int depth)
    {
        if (depth > MaximumDepth || ++schemas > MaximumSchemas)
            throw new EngineException($"{path}: the schema is too deep or too large");
        if (schema.ValueKind == JsonValueKind.True)
            return json.Value;
        if (schema.ValueKind != JsonValueKind.Object)
            throw Bad(path, "an object or true", schema.ValueKind.ToString());
        foreach (JsonProperty keyword in schema.EnumerateObject())
            if (!known.Contains(keyword.Name) && !remarks.Contains(keyword.Name))
                throw new EngineException($"{path}: the keyword {Shown(keyword.Name)} is not supported");
        if (schema.TryGetProperty("$ref", out JsonElement reference))
            return Reference(reference, path, depth);
        if (schema.TryGetProperty("const", out JsonElement constant))
            return Literal(constant);
        if (schema.TryGetProperty("enum", out JsonElement values))
            return grammar.Any([.. Elements(values, $"{path}.enum", 1).Select(Literal)]);
        foreach (string choice in (ReadOnlySpan<string>)["anyOf", "oneOf", "allOf"])
            if (schema.TryGetProperty(choice, out JsonElement schemas))
                return Choice(choice, schemas, $"{path}.{choice}", depth);
        return Typed(schema, path, depth);
    }

    private GrammarElement Choice(string keyword, JsonElement choices, string path, int depth)
    {
        GrammarElement[] all = [.. Elements(choices, path, 1).Select((choice, index) => Schema(choice, $"{path}[{index}]", depth + 1))];
        return keyword != "allOf" || all.Length == 1 ? grammar.Any(all) : throw new EngineException($"{path}: allOf with more than one schema is not supported");
    }

    private GrammarElement Typed(JsonElement schema, string path, int depth)
    {
        if (!schema.TryGetProperty("type", out JsonElement type))
            return schema.TryGetProperty("properties", out _) ? Object(schema, path, depth) : schema.TryGetProperty("items", out _) ? Array(schema, path, depth) : json.Value;
        if (type.ValueKind == JsonValueKind.Array)
            return grammar.Any([.. Elements(type, $"{path}.type", 1).Select(one => OfType(one, schema, path, depth))]);
        return OfType(type, schema, path, depth);
    }

    private GrammarElement OfType(JsonElement type, JsonElement schema, string path, int depth) => (type.ValueKind == JsonValueKind.String ? type.GetString() : null) switch
    {
        "object" => Object(schema, path, depth),
        "array" => Array(schema, path, depth),
        "string" => json.TextOf(Count(schema, "minLength", path) ?? 0, Count(schema, "maxLength", path, Count(schema, "minLength", path) ?? 0)),
        "integer" => Integer(schema, path),
        "number" => schema.TryGetProperty("minimum", out _) || schema.TryGetProperty("maximum", out _) ? throw new EngineException($"{path}: minimum and maximum of a number are not supported; use an integer") : json.Number,
        "boolean" => json.Boolean,
        "null" => json.Null,
        _ => throw Bad($"{path}.type", "object, array, string, integer, number, boolean or null", type.ToString()),
    };

    private GrammarElement Object(JsonElement schema, string path, int depth)
    {
        string[] required = schema.TryGetProperty("required", out JsonElement names)
            ? [.. Elements(names, $"{path}.required", 0).Select(name => name.ValueKind == JsonValueKind.String ? name.GetString()! : throw Bad($"{path}.required", "names", name.ToString()))]
            : [];
        JsonProperty[] properties = schema.TryGetProperty("properties", out JsonElement members)
            ? members.ValueKind == JsonValueKind.Object ? [.. members.EnumerateObject()] : throw Bad($"{path}.properties", "an object", members.ValueKind.ToString())
            : [];
        if (properties.Length > MaximumMembers)
            throw Bad($"{path}.properties", $"at most {MaximumMembers}", $"{properties.Length}");
        if (required.FirstOrDefault(name => !properties.Any(property => property.Name == name)) is { } missing)
            throw Bad($"{path}.required", "names of properties", Shown(missing));
        if (properties.Length > 0)
            return json.ObjectOf([.. properties.Select(property => (Name(property.Name), Schema(property.Value, $"{path}.properties.{Shown(property.Name)}", depth + 1), required.Contains(property.Name)))]);
        bool hasOthers = schema.TryGetProperty("additionalProperties", out JsonElement others);
        return hasOthers && others.ValueKind == JsonValueKind.False ? json.ObjectOf([])
            : hasOthers && others.ValueKind == JsonValueKind.Object ? json.MapOf(Schema(others, $"{path}.additionalProperties", depth + 1))
            : json.Object;
    }

    private GrammarElement Array(JsonElement schema, string path, int depth)
    {
        GrammarElement[] beginning = schema.TryGetProperty("prefixItems", out JsonElement prefix)
            ? [.. Elements(prefix, $"{path}.prefixItems", 0).Select((item, index) => Schema(item, $"{path}.prefixItems[{index}]", depth + 1))]
            : [];
        GrammarElement? others = !schema.TryGetProperty("items", out JsonElement items) ? json.Value : items.ValueKind == JsonValueKind.False ? null : Schema(items, $"{path}.items", depth + 1);
        int least = Count(schema, "minItems", path) ?? 0;
        int? most = Count(schema, "maxItems", path, least);
        if (others is null && least > beginning.Length)
            throw Bad($"{path}.minItems", $"at most {beginning.Length}, since items is false", $"{least}");
        return json.ArrayOf(beginning, others, least, most);
    }

    // A grammar has no numbers: a range is a list of all its integers.
    private GrammarElement Integer(JsonElement schema, string path)
    {
        bool hasLeast = schema.TryGetProperty("minimum", out JsonElement minimum), hasMost = schema.TryGetProperty("maximum", out JsonElement maximum);
        if (!hasLeast && !hasMost)
            return json.Integer;
        if (!hasLeast || !hasMost || !minimum.TryGetInt32(out int least) || !maximum.TryGetInt32(out int most) || most < least || (long)most - least > MaximumRange)
            throw new EngineException($"{path}: minimum and maximum are supported together, as integers that are at most {MaximumRange} apart");
        return grammar.Any([.. Enumerable.Range(least, most - least + 1).Select(value => grammar.Literal(System.Text.Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture))))]);
    }

    private GrammarElement Reference(JsonElement reference, string path, int depth)
    {
        string target = reference.ValueKind == JsonValueKind.String ? reference.GetString()! : throw Bad($"{path}.$ref", "a text", reference.ValueKind.ToString());
        if (references.TryGetValue(target, out GrammarElement found))
            return found;
        JsonElement schema = root;
        string[] steps = target.StartsWith("#/", StringComparison.Ordinal) ? target[2..].Split('/') : throw Bad($"{path}.$ref", "a place in this schema, #/...", Shown(target));
        foreach (string step in steps)
            if (schema.ValueKind != JsonValueKind.Object || !schema.TryGetProperty(step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal), out schema))
                throw Bad($"{path}.$ref", "a place in this schema", Shown(target));
        int rule = grammar.AddRule();
        references.Add(target, GrammarElement.OfRule(rule));
        grammar.AddAlternative(rule, Schema(schema, target, depth + 1));
        return GrammarElement.OfRule(rule);
    }

    private static JsonElement[] Elements(JsonElement array, string path, int least)
    {
        if (array.ValueKind != JsonValueKind.Array)
            throw Bad(path, "an array", array.ValueKind.ToString());
        int length = array.GetArrayLength();
        return length >= least && length <= MaximumCount ? [.. array.EnumerateArray()] : throw Bad(path, $"{least} to {MaximumCount} elements", $"{length}");
    }

    private static int? Count(JsonElement schema, string keyword, string path, int least = 0)
    {
        if (!schema.TryGetProperty(keyword, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int count) && count >= least && count <= MaximumCount ? count : throw Bad($"{path}.{keyword}", $"an integer, {least} to {MaximumCount}", value.ToString());
    }

    private GrammarElement Name(string name) => Written(writer => writer.WriteStringValue(name));

    private GrammarElement Literal(JsonElement value) => Written(value.WriteTo);

    private GrammarElement Written(Action<Utf8JsonWriter> write)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, literal))
            write(writer);
        return grammar.Literal(bytes.WrittenSpan);
    }

    private static EngineException Bad(string path, string expected, string found) => new($"{path}: expected {expected}, found {Shown(found)}");

    private static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
