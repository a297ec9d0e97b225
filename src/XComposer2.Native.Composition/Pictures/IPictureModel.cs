using System.Security.Cryptography;
using System.Text;

namespace XComposer2.Native.Composition.Pictures;

/// <summary>What a gallery asks of a model: features that tell pictures apart, and captions of pictures that come without words.</summary>
public interface IPictureModel
{
    /// <summary>Names everything that features and captions depend on; what another model made is not used.</summary>
    string Fingerprint { get; }

    /// <summary>Features of a picture; those of pictures that look alike point the same way.</summary>
    /// <param name="bytes">The encoded file.</param>
    /// <param name="name">For messages.</param>
    /// <param name="cancellationToken">Ends the computation.</param>
    /// <returns>The same number of values for every picture, of any length.</returns>
    /// <exception cref="Model.ImageException">The picture cannot be used.</exception>
    Task<ReadOnlyMemory<float>> FeaturesAsync(ReadOnlyMemory<byte> bytes, string name, CancellationToken cancellationToken);

    /// <summary>What is in a picture, in words, once for each language that will be searched in.</summary>
    /// <param name="bytes">The encoded file.</param>
    /// <param name="name">For messages.</param>
    /// <param name="cancellationToken">Ends the computation.</param>
    /// <exception cref="Model.ImageException">The picture cannot be used.</exception>
    Task<IReadOnlyList<string>> CaptionsAsync(ReadOnlyMemory<byte> bytes, string name, CancellationToken cancellationToken);
}

/// <summary>A loaded model that looks at the pictures of a gallery.</summary>
/// <param name="engine">Not owned; must outlive this.</param>
public sealed class EnginePictureModel(XComposerEngine engine) : IPictureModel
{
    // Changes with whatever makes other features or captions of the same weights.
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
    /// <returns>One in English and one in Chinese, so that articles in both find the picture.</returns>
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

    /// <summary>A text that was cut off, up to its last whole sentence.</summary>
    internal static string WholeSentences(string text)
    {
        int end = text.LastIndexOfAny(['.', '!', '?', '。', '！', '？']);
        return end < 0 ? text : text[..(end + 1)];
    }
}
