using System.Text;
using System.Text.Json;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Grammars of JSON and of JSON schemas: which texts they hold, and which tokens may come next.</summary>
public sealed class GrammarTests
{
    private const string Person = """
        {"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":5},"age":{"type":"integer","minimum":-1,"maximum":120},"tags":{"type":"array","items":{"enum":["a","b\"",3,null]},"maxItems":2}},
        "required":["name","tags"],"additionalProperties":false}
        """;

    [Theory]
    [InlineData("{}")]
    [InlineData(" {}")]
    [InlineData("\n  {\n    \"a\": 1\n  }")]
    [InlineData("{\"a\":[],\"b\":[1,-2.5e+10,true,null,{\"c\":\"d\"}]}")]
    [InlineData("{\"\\u00e9\\n\\\"\":\"\\ud83d\\ude00 😀 图\"}")]
    [InlineData("{\"a\":[[[[[[{}]]]]]]}")]
    public void Object_is_accepted(string text) => Assert.True(Accepts(JsonSchemaReader.AnyObject(), text));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"a\"}")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{a:1}")]
    [InlineData("{\"a\":01}")]
    [InlineData("{\"a\":1.}")]
    [InlineData("{\"a\":\"\n\"}")]
    [InlineData("{\"a\":\"\\x\"}")]
    [InlineData("{\"a\":\"\\ud83d\"}")]
    [InlineData("{\"a\":tru}")]
    [InlineData("{}  ")]
    [InlineData("   {}")]
    [InlineData("{}{}")]
    public void Other_text_is_not_accepted(string text) => Assert.False(Accepts(JsonSchemaReader.AnyObject(), text));

    [Fact]
    public void Bytes_that_are_no_characters_are_not_accepted()
    {
        foreach (byte[] bad in (byte[][])[[0xC0, 0x80], [0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF]])
            Assert.False(Accepts(JsonSchemaReader.AnyObject(), [.. "{\"a\":\""u8, .. bad, .. "\"}"u8]));
    }

    [Theory]
    [InlineData("{\"name\":\"x\",\"tags\":[]}", true)]
    [InlineData("{\"name\": \"五个字字字\", \"age\": 120, \"tags\": [\"a\", null]}", true)]
    [InlineData("{\"name\":\"x\",\"age\":-1,\"tags\":[\"b\\\"\",3]}", true)]
    [InlineData("{\"tags\":[],\"name\":\"x\"}", false)]
    [InlineData("{\"name\":\"x\"}", false)]
    [InlineData("{\"name\":\"\",\"tags\":[]}", false)]
    [InlineData("{\"name\":\"abcdef\",\"tags\":[]}", false)]
    [InlineData("{\"name\":\"x\",\"age\":121,\"tags\":[]}", false)]
    [InlineData("{\"name\":\"x\",\"tags\":[\"c\"]}", false)]
    [InlineData("{\"name\":\"x\",\"tags\":[\"a\",\"a\",\"a\"]}", false)]
    [InlineData("{\"name\":\"x\",\"tags\":[],\"more\":1}", false)]
    public void Schema_of_an_object(string text, bool fits) => Assert.Equal(fits, Accepts(Schema(Person), text));

    [Theory]
    [InlineData("""{"anyOf":[{"type":"integer"},{"const":"none"}]}""", "12", "\"none\"", "1.5")]
    [InlineData("""{"type":["boolean","null"]}""", "true", "null", "0")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":false,"minItems":1}""", "[1]", "[1,\"a\"]", "[]")]
    [InlineData("""{"type":"array","prefixItems":[{"type":"integer"}],"items":{"type":"boolean"},"minItems":2,"maxItems":3}""", "[1,true]", "[1,true,false]", "[1]")]
    [InlineData("""{"type":"array","items":{"type":"integer"},"minItems":2}""", "[1,2]", "[1,2,3,4]", "[1]")]
    [InlineData("""{"type":"array","maxItems":0}""", "[]", "[ ]", "[1]")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"integer"}}""", "{}", "{\"a\":1,\"b\":2}", "{\"a\":\"\"}")]
    [InlineData("""{"type":"object","additionalProperties":false}""", "{}", "{ }", "{\"a\":1}")]
    [InlineData("""{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{"leaves":{"type":"array","items":{"$ref":"#/$defs/tree"}}}}}}""", "{}", "{\"leaves\":[{},{\"leaves\":[]}]}", "{\"leaves\":{}}")]
    [InlineData("""{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["next"]}""", "{\"next\":null}", "{\"next\":{\"next\":null}}", "{}")]
    public void Keyword_of_a_schema(string schema, string fitting, string alsoFitting, string other) =>
        Assert.Equal((true, true, false), (Accepts(Schema(schema), fitting), Accepts(Schema(schema), alsoFitting), Accepts(Schema(schema), other)));

    [Theory]
    [InlineData("""{"type":"string","pattern":"a+"}""", "schema: the keyword pattern is not supported")]
    [InlineData("""{"type":"object","properties":{"a":{"not":{}}}}""", "schema.properties.a: the keyword not is not supported")]
    [InlineData("""{"type":"number","minimum":1}""", "minimum and maximum of a number")]
    [InlineData("""{"type":"integer","minimum":1}""", "are supported together")]
    [InlineData("""{"type":"text"}""", "schema.type: expected object, array")]
    [InlineData("""{"$ref":"https://example.org/schema"}""", "schema.$ref: expected a place in this schema")]
    [InlineData("""{"$ref":"#/$defs/none"}""", "schema.$ref: expected a place in this schema")]
    [InlineData("""{"enum":[]}""", "schema.enum: expected 1 to 4096 elements")]
    [InlineData("""{"type":"object","required":["a"],"properties":{"b":true}}""", "schema.required: expected names of properties, found a")]
    [InlineData("""{"type":"string","minLength":5,"maxLength":4}""", "schema.maxLength: expected an integer, 5 to 4096")]
    [InlineData("""{"allOf":[true,true]}""", "allOf with more than one schema")]
    [InlineData("[]", "schema: expected an object or true, found Array")]
    [InlineData("{", "the schema is not valid JSON")]
    public void Unsupported_or_invalid_schema_is_refused(string schema, string message) =>
        Assert.Contains(message, Assert.Throws<EngineException>(() => AnswerFormat.OfJsonSchema(schema)).Message, StringComparison.Ordinal);

    [Fact]
    public void Schema_that_only_refers_to_itself_allows_nothing()
    {
        var automaton = new GrammarAutomaton(Schema("""{"anyOf":[{"$ref":"#"}]}"""));
        Assert.All(Enumerable.Range('!', 90), value => Assert.Equal(GrammarAutomaton.Dead, automaton.Step(automaton.Start, (byte)value)));
    }

    [Fact]
    public void Large_schemas_are_refused_in_bounded_time()
    {
        string deep = string.Concat(Enumerable.Repeat("{\"items\":", 60)) + "true" + new string('}', 60);
        Assert.True(Accepts(Schema(deep), new string('[', 61) + new string(']', 61)));
        string wide = """{"type":"array","maxItems":4096,"items":{"type":"string","maxLength":4096}}""";
        Assert.True(Accepts(Schema(wide), "[\"a\",\"b\"]"));
        string properties = string.Join(',', Enumerable.Range(0, 500).Select(index => $"\"p{index}\":{{\"type\":\"string\",\"maxLength\":4096}}"));
        string many = "{\"type\":\"object\",\"properties\":{" + properties + "}}";
        Assert.Contains("too large", Assert.Throws<EngineException>(() => Schema(many)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"a")]
    [InlineData("{\"a\":")]
    [InlineData("{\"a\":1")]
    [InlineData("{\"a\":[tr")]
    [InlineData("{\"a\":\"\\u12")]
    public void Allowed_tokens_are_those_whose_bytes_can_follow(string begun)
    {
        TextTokenizer tokenizer = TextTokenizer.Load(TestPaths.Repository("tools/demo/checkpoint"));
        var automaton = new GrammarAutomaton(JsonSchemaReader.AnyObject());
        int state = Run(automaton, Encoding.UTF8.GetBytes(begun));
        uint[] allowed = new uint[(tokenizer.VocabularySize + 31) / 32];
        new TokenBytes(tokenizer).Allow(automaton, state, allowed);
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            byte[] bytes = tokenizer.IsText(id) ? tokenizer.BytesOf(id) : [];
            bool expected = bytes.Length > 0 && Run(automaton, bytes, state) != GrammarAutomaton.Dead;
            Assert.Equal(expected, (allowed[id / 32] >> (id % 32) & 1) != 0);
        }
    }

    [Fact]
    public void Random_walks_end_in_texts_that_fit()
    {
        TextTokenizer tokenizer = TextTokenizer.Load(TestPaths.Repository("tools/demo/checkpoint"));
        var tokens = new TokenBytes(tokenizer);
        AnswerFormat format = AnswerFormat.OfJsonSchema(Person);
        var random = new Random(4);
        for (int walk = 0; walk < 40; walk++)
        {
            GrammarConstraint constraint = format.Constrain(tokens, [tokenizer.EosId], tokenizer.VocabularySize);
            List<int> ids = [];
            for (; ; )
            {
                uint[] allowed = constraint.Allowed.ToArray();
                int[] choices = [.. Enumerable.Range(0, tokenizer.VocabularySize).Where(id => (allowed[id / 32] >> (id % 32) & 1) != 0)];
                Assert.NotEmpty(choices);
                int chosen = choices[random.Next(choices.Length)];
                if (chosen == tokenizer.EosId)
                    break;
                constraint.Accept(chosen);
                ids.Add(chosen);
            }

            JsonElement person = JsonDocument.Parse(tokenizer.Decode([.. ids])).RootElement;
            Assert.InRange(person.GetProperty("name").GetString()!.EnumerateRunes().Count(), 1, 5);
            Assert.InRange(person.GetProperty("tags").GetArrayLength(), 0, 2);
            if (person.TryGetProperty("age", out JsonElement age))
                Assert.InRange(age.GetInt32(), -1, 120);
        }
    }

    private static Grammar Schema(string schema) => JsonSchemaReader.Read(JsonDocument.Parse(schema).RootElement);

    private static bool Accepts(Grammar grammar, string text) => Accepts(grammar, Encoding.UTF8.GetBytes(text));

    private static bool Accepts(Grammar grammar, byte[] text)
    {
        var automaton = new GrammarAutomaton(grammar);
        int state = Run(automaton, text);
        return state != GrammarAutomaton.Dead && automaton.Accepts(state);
    }

    private static int Run(GrammarAutomaton automaton, byte[] text, int? from = null)
    {
        int state = from ?? automaton.Start;
        foreach (byte value in text)
            if ((state = automaton.Step(state, value)) == GrammarAutomaton.Dead)
                break;
        return state;
    }
}
