using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace XComposer2.Native.Cli;

/// <summary>Everything that is written as JSON: snake_case, one line an object, Chinese as it is.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ArticleReportJson))]
[JsonSerializable(typeof(ChatJson))]
[JsonSerializable(typeof(CompiledKernelsJson))]
[JsonSerializable(typeof(ConversationJson))]
[JsonSerializable(typeof(InspectionJson))]
[JsonSerializable(typeof(KernelBenchJson))]
[JsonSerializable(typeof(KernelCaseListJson))]
[JsonSerializable(typeof(KernelInspectionJson))]
[JsonSerializable(typeof(KernelListJson))]
[JsonSerializable(typeof(MemoryPlanJson))]
[JsonSerializable(typeof(TrainingPlanJson))]
[JsonSerializable(typeof(QuantizationJson))]
[JsonSerializable(typeof(SpeedJson))]
[JsonSerializable(typeof(VerificationJson))]
internal sealed partial class CliJson : JsonSerializerContext
{
    public static CliJson Lines { get; } = new(With(indented: false));

    public static CliJson Indented { get; } = new(With(indented: true));

    private static JsonSerializerOptions With(bool indented) => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = indented,
    };
}
