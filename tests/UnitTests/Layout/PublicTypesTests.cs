using System.Reflection;
using XComposer2.Native.Composition;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The public types of the library, by namespace. The root namespace holds what a chat needs; everything else is in a room of its own.
/// Whoever adds or removes a public type changes this list too.</summary>
public sealed class PublicTypesTests
{
    private static readonly Dictionary<string, string[]> expected = new(StringComparer.Ordinal)
    {
        ["XComposer2.Native"] =
        [
            "ChatExchange", "ChatSession", "ContextFullException", "EngineException", "EngineInfo", "EngineLimits", "EngineOptions", "FinishReason", "GenerationCompleted", "GenerationEvent",
            "GenerationOptions", "GenerationResult", "ImageInput", "SessionOptions", "TextDelta", "UserMessage", "XComposerEngine", "XComposerException",
        ],
        ["XComposer2.Native.Calibration"] = ["CalibrationSet", "LayerCalibration"],
        ["XComposer2.Native.Devices"] = ["ActivationPrecision", "DeviceKind", "DeviceOptions", "EmbeddingPlace", "LoadPhase", "LoadProgress"],
        ["XComposer2.Native.Generation"] = ["AnswerFormat", "GenerationTimings", "TokenAlternative", "TokenScore", "TokenUsage"],
        ["XComposer2.Native.Measurement"] = ["SpeedMeasurement", "SpeedOptions", "SpeedResult", "SpeedSeries"],
        ["XComposer2.Native.Planning"] = ["GpuFit", "GpuPlanRequest", "ModelMemoryPlan"],
        ["XComposer2.Native.Verification"] = ["IdStage", "ModelVerifier", "PromptAgreement", "QuantizationComparison", "StageResult", "TensorStage", "VerificationOptions", "VerificationReport"],
        ["XComposer2.Native.Composition"] =
        [
            "Article", "ArticleChanged", "ArticleComposer", "ArticleEdit", "ArticleFigure", "ArticleHistory", "ArticleInstruction", "ArticleNote", "ArticleOperation", "ArticleOutline", "ArticlePicture",
            "ArticleRequest", "ArticleSection", "ArticleState", "CandidateScore", "ComposerOptions", "CompositionEvent", "CompositionEvents", "CompositionStep", "EditOperands", "EditSummary", "NoteCause",
            "PictureOptions", "PictureSource", "SectionEdit", "StepStarted", "TextWritten",
        ],
        ["XComposer2.Native.Composition.Output"] = ["ArticleDocument", "ArticleMarkdown", "ArticlePage", "CandidateText", "CandidatesPage"],
        ["XComposer2.Native.Composition.Pictures"] =
        [
            "EnginePictureModel", "FolderImageSource", "GalleryOptions", "GalleryProgress", "GalleryReport", "HttpImageSource", "HttpImageSourceOptions", "IImageSource",
            "IPictureModel", "ImageCandidate", "ImageQuery", "ImageSourceException", "PictureDownload", "PictureDownloadOptions",
        ],
        ["XComposer2.Native.Composition.Storage"] =
            ["ArticleArchive", "ArticleFileException", "ArticleFolder", "ArticleLock", "ArticleOutput", "ArticlePlace", "ArticleRescue"],
    };

    // Assemblies that the public API may name. The package offers no others to a compiler.
    private static readonly Assembly[] visible = [typeof(XComposerEngine).Assembly, typeof(ArticleComposer).Assembly, typeof(Checkpoint).Assembly, typeof(ComputeGraph).Assembly];

    public static TheoryData<string> Namespaces => [.. expected.Keys];

    [Theory]
    [MemberData(nameof(Namespaces))]
    public void Namespace_has_exactly_the_listed_public_types(string name) =>
        Assert.Equal(expected[name], Types().Where(type => type.Namespace == name).Select(type => type.Name).Order(StringComparer.Ordinal));

    [Fact]
    public void Every_public_type_of_engine_and_composition_is_in_a_listed_namespace() =>
        Assert.Empty(Documented().Where(type => !expected.ContainsKey(type.Namespace!)).Select(type => type.FullName));

    [Fact]
    public void Root_namespace_has_at_most_18_types() =>
        Assert.InRange(expected["XComposer2.Native"].Length, 1, 18);

    [Fact]
    public void Public_api_names_only_types_of_engine_composition_model_and_graph()
    {
        string[] strangers =
        [
            .. Documented().SelectMany(type => type.GetMembers(PublicMembers.Declared)).Where(PublicMembers.IsVisible)
                .SelectMany(member => Named(member).Select(named => (Member: member, Named: named)))
                .Where(use => use.Named.Assembly.GetName().Name!.StartsWith("XComposer2", StringComparison.Ordinal) && !visible.Contains(use.Named.Assembly))
                .Select(use => $"{use.Member.DeclaringType!.Name}.{use.Member.Name} names {use.Named.FullName}").Distinct(),
        ];
        Assert.Empty(strangers);
    }

    /// <summary>Public types of the engine and of composition.</summary>
    internal static IEnumerable<Type> Documented() => visible[0].GetExportedTypes().Concat(visible[1].GetExportedTypes());

    // The base exception is in the model's assembly, so that its readers can throw it.
    private static IEnumerable<Type> Types() => visible.SelectMany(assembly => assembly.GetExportedTypes());

    private static IEnumerable<Type> Named(MemberInfo member) => (member switch
    {
        MethodInfo method => method.GetParameters().Select(parameter => parameter.ParameterType).Append(method.ReturnType),
        ConstructorInfo constructor => constructor.GetParameters().Select(parameter => parameter.ParameterType),
        FieldInfo field => [field.FieldType],
        PropertyInfo property => [property.PropertyType],
        Type nested => [nested],
        _ => [],
    }).SelectMany(Parts);

    private static IEnumerable<Type> Parts(Type type) =>
        type.HasElementType ? Parts(type.GetElementType()!) : type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Append(type.GetGenericTypeDefinition()) : [type];
}
