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
