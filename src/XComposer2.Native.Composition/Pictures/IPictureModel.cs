using System.Security.Cryptography;
using System.Text;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>The model of a gallery: computes features that distinguish pictures, and captions for pictures without text.</summary>
public interface IPictureModel
{
    /// <summary>Identifies everything that features and captions depend on. Index entries with another fingerprint are not used.</summary>
    string Fingerprint { get; }

    /// <summary>Features of a picture. Similar pictures have a high cosine similarity.</summary>
    /// <param name="bytes">The encoded file.</param>
    /// <param name="name">For messages.</param>
    /// <param name="cancellationToken">Stops the computation.</param>
    /// <returns>The same number of values for every picture; not normalised.</returns>
    /// <exception cref="Model.ImageException">The picture is unusable.</exception>
    Task<ReadOnlyMemory<float>> FeaturesAsync(ReadOnlyMemory<byte> bytes, string name, CancellationToken cancellationToken);

    /// <summary>Captions of a picture, one in each search language.</summary>
    /// <param name="bytes">The encoded file.</param>
    /// <param name="name">For messages.</param>
    /// <param name="cancellationToken">Stops the computation.</param>
    /// <exception cref="Model.ImageException">The picture is unusable.</exception>
    Task<IReadOnlyList<string>> CaptionsAsync(ReadOnlyMemory<byte> bytes, string name, CancellationToken cancellationToken);
}

/// <summary>A loaded engine as the model of a gallery.</summary>
/// <param name="engine">Not owned; must outlive this object.</param>
public sealed class EnginePictureModel(XComposerEngine engine) : IPictureModel
{
    // Must change whenever the same weights would give different features or captions.
    private const string Version = "features 2, captions 2";

    private static readonly string[] questions = ["Describe this image.", "描述这张图片。"];
    private static readonly GenerationOptions answers = new() { Greedy = true, MaxTokens = 64 };

    /// <inheritdoc/>
    public string Fingerprint { get; } = Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', [Version, engine.Fingerprint(), $"{answers.MaxTokens}", .. questions]))));

    /// <inheritdoc/>
    public async Task<ReadOnlyMemory<float>> FeaturesAsync(ReadOnlyMemory<byte> bytes, string name, CancellationToken cancellationToken) =>
        await engine.PictureFeaturesAsync(ImageInput.FromBytes(bytes, name), cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    /// <returns>An English and a Chinese caption, so that articles in both languages find the picture.</returns>
    public async Task<IReadOnlyList<string>> CaptionsAsync(ReadOnlyMemory<byte> bytes, string name, CancellationToken cancellationToken)
    {
        List<string> captions = [];
        foreach (string question in questions)
        {
            using ChatSession session = engine.CreateSession();
            GenerationResult? result = null;
            UserMessage message = new(question, [ImageInput.FromBytes(bytes, name)]);
            await foreach (GenerationEvent next in session.SendAsync(message, answers, cancellationToken).ConfigureAwait(false))
                if (next is GenerationCompleted completed)
                    result = completed.Result;
            captions.Add(result!.FinishReason == FinishReason.Length ? WholeSentences(result.Text) : result.Text);
        }

        return captions;
    }

    /// <summary>A truncated text up to its last complete sentence.</summary>
    internal static string WholeSentences(string text)
    {
        int end = text.LastIndexOfAny(['.', '!', '?', '。', '！', '？']);
        return end < 0 ? text : text[..(end + 1)];
    }
}
