using System.Text.Json;
using System.Text.Json.Serialization;

namespace XComposer2.Native.Composition.Pictures;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SimilarImagesRequest))]
internal sealed partial class ImageSearchJson : JsonSerializerContext;
