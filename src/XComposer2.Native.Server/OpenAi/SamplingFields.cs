using System.Globalization;
using System.Text.Json;

namespace XComposer2.Native.Server;

/// <summary>Reads how answers are sampled and when they end, in OpenAI's terms and those of similar servers. Absent fields have the defaults of the model's chat().</summary>
internal static class SamplingFields
{
    private const int MaximumStops = 16, MaximumStopLength = 256, MaximumTopLogProbs = 20;
    private const float MaximumTemperature = 100, MaximumPenalty = 2, MaximumBias = 100, MaximumLengthPenalty = 10;

    /// <summary>Fields that mean nothing where they have one of these values, and cannot be done otherwise.</summary>
    private static readonly (string Field, string Reason)[] unsupported =
    [
        ("tools", "this model does not call tools"), ("functions", "this model does not call functions"), ("audio", "this model does not speak"),
        ("prediction", "predicted outputs are not supported"), ("web_search_options", "this server does not search the web"),
        ("logits_processors", "logits processors are not supported"),
        ("structured_outputs", "use response_format"), ("guided_json", "use response_format"), ("guided_regex", "regular expressions are not supported"),
        ("guided_choice", "use response_format with an enum"), ("guided_grammar", "grammars are not supported"), ("grammar", "grammars are not supported"),
    ];

    /// <exception cref="ApiException">A field is out of range, or asks for something that is not supported.</exception>
    public static GenerationOptions Read(RequestFields request)
    {
        RefuseUnsupported(request);
        var defaults = new GenerationOptions();
        return ReadChoice(request, defaults) with
        {
            FrequencyPenalty = request.Number("frequency_penalty", -MaximumPenalty, MaximumPenalty) ?? 0,
            PresencePenalty = request.Number("presence_penalty", -MaximumPenalty, MaximumPenalty) ?? 0,
            LogitBias = Biases(request),
            Seed = request.Seed("seed"),
            Stop = Stops(request, "stop"),
            Beams = Beams(request),
            LengthPenalty = request.Number("length_penalty", -MaximumLengthPenalty, MaximumLengthPenalty) ?? defaults.LengthPenalty,
            EarlyStopping = request.Flag("early_stopping"),
            MaxTokens = request.Integer("max_completion_tokens", 1, int.MaxValue) ?? request.Integer("max_tokens", 1, int.MaxValue) ?? defaults.MaxTokens,
        };
    }

    /// <summary>How the next token is chosen: temperature, top-k, top-p and the penalty of repetition.</summary>
    /// <param name="request">Its fields may be absent.</param>
    /// <param name="defaults">What holds then.</param>
    /// <exception cref="ApiException">A field is out of range.</exception>
    public static GenerationOptions ReadChoice(RequestFields request, GenerationOptions defaults)
    {
        float temperature = request.Number("temperature", 0, MaximumTemperature) ?? defaults.Temperature;
        return defaults with
        {
            Greedy = temperature == 0,
            Temperature = temperature == 0 ? defaults.Temperature : temperature,
            TopP = Positive(request, "top_p", 1) ?? defaults.TopP,
            TopK = Math.Max(request.Integer("top_k", -1, int.MaxValue) ?? defaults.TopK, 0),
            RepetitionPenalty = Positive(request, "repetition_penalty", 100) ?? defaults.RepetitionPenalty,
        };
    }

    /// <summary>The answer's format, as chats ask for it.</summary>
    /// <exception cref="ApiException">The format is unknown, or its schema is not supported.</exception>
    public static GenerationOptions WithFormat(RequestFields request, GenerationOptions options)
    {
        if (request.Nested("response_format") is not { } format)
            return options;
        AnswerFormat? held = format.RequiredText("type") switch
        {
            "text" => null,
            "json_object" => AnswerFormat.JsonObject,
            "json_schema" => OfSchema(format.Nested("json_schema") ?? throw ApiException.Invalid(format.NameOf("json_schema"), $"{format.NameOf("json_schema")} is required")),
            string other => throw ApiException.Unexpected(format.NameOf("type"), "text, json_object or json_schema", $"'{other}'"),
        };
        if (held is not null && request.Flag("ignore_eos"))
            throw ApiException.Invalid("ignore_eos", "ignore_eos: an answer with a format ends when it is complete");
        return options with { Format = held };
    }

    /// <summary>A schema, or an object with one.</summary>
    /// <exception cref="ApiException">The schema is not supported.</exception>
    public static AnswerFormat OfSchema(RequestFields holder)
    {
        if (!holder.TryGet("schema", out JsonElement schema))
            throw ApiException.Invalid(holder.NameOf("schema"), $"{holder.NameOf("schema")} is required");
        try
        {
            return AnswerFormat.OfJsonSchema(schema.GetRawText());
        }
        catch (EngineException error)
        {
            throw ApiException.Invalid(holder.NameOf("schema"), error.Message, "invalid_schema");
        }
    }

    /// <summary>Log-probabilities as chats ask for them.</summary>
    /// <exception cref="ApiException">top_logprobs without logprobs, or out of range.</exception>
    public static GenerationOptions WithChatLogProbs(RequestFields request, GenerationOptions options)
    {
        bool wanted = request.Flag("logprobs");
        int top = request.Integer("top_logprobs", 0, MaximumTopLogProbs) ?? 0;
        if (top > 0 && !wanted)
            throw ApiException.Invalid("top_logprobs", "top_logprobs requires logprobs: true");
        return options with { LogProbs = wanted, TopLogProbs = top };
    }

    /// <summary>Stop texts: one, or an array.</summary>
    /// <exception cref="ApiException">One is empty or too long, or there are too many.</exception>
    public static IReadOnlyList<string> Stops(RequestFields request, string field)
    {
        if (!request.TryGet(field, out JsonElement value))
            return [];
        string[] stops = value.ValueKind == JsonValueKind.String
            ? [RequestFields.TextOf(value, request.NameOf(field), MaximumStopLength)]
            : [.. request.Elements(field, MaximumStops).Select(element => RequestFields.TextOf(element.Value, element.Name, MaximumStopLength))];
        return stops.Contains("") ? throw ApiException.Unexpected(request.NameOf(field), "texts that are not empty", "an empty one") : stops;
    }

    // Their number is Hugging Face's field, the flag vLLM's.
    private static int Beams(RequestFields request)
    {
        int beams = request.Integer("num_beams", 1, BeamSettings.MaximumBeams) ?? 1;
        if (beams == 1 && request.Flag("use_beam_search"))
            throw ApiException.Invalid("num_beams", $"use_beam_search needs num_beams, 2 to {BeamSettings.MaximumBeams}");
        if (beams > 1 && request.Integer("n", 1, int.MaxValue) is > 1)
            throw ApiException.Invalid("n", "n: expected 1 with num_beams");
        return beams;
    }

    private static float? Positive(RequestFields request, string field, float maximum)
    {
        float? number = request.Number(field, 0, maximum);
        return number is not 0 ? number : throw ApiException.Unexpected(request.NameOf(field), string.Create(CultureInfo.InvariantCulture, $"a number over 0, at most {maximum}"), "0");
    }

    private static Dictionary<int, float>? Biases(RequestFields request)
    {
        if (!request.TryGet("logit_bias", out JsonElement map))
            return null;
        Dictionary<int, float> biases = [];
        RequestFields fields = RequestFields.Of(map, "logit_bias");
        foreach (JsonProperty property in map.EnumerateObject())
        {
            if (biases.Count == GenerationOptions.MaximumBiases)
                throw ApiException.Unexpected("logit_bias", $"at most {GenerationOptions.MaximumBiases} tokens", "more");
            if (!int.TryParse(property.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id))
                throw ApiException.Unexpected("logit_bias", "ids of tokens", $"'{property.Name[..Math.Min(property.Name.Length, 20)]}'");
            biases[id] = fields.Number(property.Name, -MaximumBias, MaximumBias) ?? 0;
        }

        return biases.Count == 0 ? null : biases;
    }

    private static void RefuseUnsupported(RequestFields request)
    {
        foreach ((string field, string reason) in unsupported)
            if (request.TryGet(field, out JsonElement value) && !MeansNothing(value))
                throw ApiException.Unsupported(field, $"{field}: {reason}");
        if (request.Number("min_p", 0, 1) is > 0)
            throw ApiException.Unsupported("min_p", "min_p: not supported; use top_p or top_k");
        if (request.TryGet("tool_choice", out JsonElement choice) && !(choice.ValueKind == JsonValueKind.String && choice.ValueEquals("none"u8)) && !(choice.ValueKind == JsonValueKind.String && choice.ValueEquals("auto"u8)))
            throw ApiException.Unsupported("tool_choice", "tool_choice: this model does not call tools");
        if (request.Elements("modalities", 8).Any(modality => modality.Value.ValueKind != JsonValueKind.String || !modality.Value.ValueEquals("text"u8)))
            throw ApiException.Unsupported("modalities", "modalities: answers are text");
    }

    private static bool MeansNothing(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.False => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.String => value.ValueEquals(""u8),
        _ => false,
    };
}
