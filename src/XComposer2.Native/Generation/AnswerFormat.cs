using System.Text.Json;

namespace XComposer2.Native.Generation;

/// <summary>A format that an answer is held to: at each step only tokens are possible that can still lead to it. The answer ends when it is complete; one that
/// reaches <see cref="GenerationOptions.MaxTokens"/> before is cut off. Immutable and thread-safe.</summary>
public sealed class AnswerFormat
{
    private const int MaximumDepth = 64;

    private readonly Grammar grammar;

    private AnswerFormat(Grammar grammar) => this.grammar = grammar;

    /// <summary>A JSON object.</summary>
    public static AnswerFormat JsonObject { get; } = new(JsonSchemaReader.AnyObject());

    /// <summary>JSON that fits a schema. Members of objects stand in the order of the schema.</summary>
    /// <param name="schema">A JSON schema: type, properties, required, additionalProperties, items, prefixItems, minItems, maxItems, enum, const, anyOf, oneOf
    /// (as anyOf), allOf of one schema, $ref within the schema, minLength, maxLength, and minimum with maximum of integers at most 1000 apart.</param>
    /// <exception cref="EngineException">The schema is not valid, too large, or has another keyword; the message names it.</exception>
    public static AnswerFormat OfJsonSchema(string schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        try
        {
            using JsonDocument document = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = MaximumDepth });
            return new AnswerFormat(JsonSchemaReader.Read(document.RootElement));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new EngineException($"the schema is not valid JSON: {error.Message}", error);
        }
    }

    /// <summary>The constraint of one answer.</summary>
    internal GrammarConstraint Constrain(TokenBytes tokens, IReadOnlyList<int> stopIds, int vocabularySize) => new(new GrammarAutomaton(grammar), tokens, stopIds, vocabularySize);
}
