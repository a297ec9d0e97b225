using System.Collections.Immutable;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;

namespace XComposer2.Native.Training;

/// <summary>A sample as a training graph reads it.</summary>
/// <param name="Id">For messages.</param>
/// <param name="Text">Ids and labels.</param>
/// <param name="Pixels">[pictures, 3, S, S], normalised.</param>
/// <param name="Pictures">Pictures.</param>
public sealed record PreparedSample(string Id, LabelledText Text, ReadOnlyMemory<float> Pixels, int Pictures)
{
    /// <summary>Positions, learnt positions and pictures.</summary>
    public RowCounts Counts => new(Text.Ids.Count, Text.LearntCount, Pictures);
}

/// <summary>Reads the pictures and writes the texts of samples. Safe to share between threads.</summary>
/// <param name="config">Sizes.</param>
/// <param name="text">Of the model's tokenizer.</param>
/// <param name="maximumLength">Positions that are kept of a sample.</param>
public sealed class SamplePreparer(ModelConfig config, TrainingText text, int maximumLength)
{
    /// <summary>Positions of a sample, those of pictures among them, without reading its pictures.</summary>
    /// <exception cref="TrainingDataException">The places of pictures are not as many as the pictures.</exception>
    public int LengthOf(TrainingSample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        return text.Write(sample, config.TokensPerImage, maximumLength).Ids.Count;
    }

    /// <exception cref="TrainingDataException">A picture cannot be read, is cut off, or nothing of the sample is learnt.</exception>
    public PreparedSample Prepare(TrainingSample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        LabelledText labelled = text.Write(sample, config.TokensPerImage, maximumLength);
        if (labelled.LearntCount == 0)
            throw new TrainingDataException($"sample '{sample.Id}': expected something to learn within {maximumLength} positions, found none");
        int rows = labelled.Ids.Count(id => id == TrainingText.Ignored);
        if (rows != sample.Pictures.Length * config.TokensPerImage)
            throw new TrainingDataException($"sample '{sample.Id}': expected whole pictures within {maximumLength} positions, found {rows} of {sample.Pictures.Length * config.TokensPerImage} rows");
        int size = config.ImageSize, values = 3 * size * size;
        float[] pixels = new float[sample.Pictures.Length * values];
        ImmutableArray<string> pictures = sample.Pictures;
        for (int i = 0; i < pictures.Length; i++)
        {
            try
            {
                RgbImage image = ImageDecoder.DecodeFile(pictures[i], ImageLimits.Default);
                ImagePreprocessor.Run(image, size, SquareMode.Squash, pixels.AsSpan(i * values, values));
            }
            catch (ImageException error)
            {
                throw new TrainingDataException($"sample '{sample.Id}': {error.Message}", error);
            }
        }

        return new PreparedSample(sample.Id, labelled, pixels, pictures.Length);
    }
}
