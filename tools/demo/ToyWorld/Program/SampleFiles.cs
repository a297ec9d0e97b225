using System.Text.Encodings.Web;
using System.Text.Json;
using XComposer2.Demo.Conversations;
using XComposer2.Native.Training;

namespace XComposer2.Demo.Program;

/// <summary>Writes samples in the published layout: a list of conversations with their pictures, which <c>xc2 train --data</c> reads.</summary>
public static class SampleFiles
{
    private const string FileName = "samples.json", PictureFolder = "images";

    private static readonly JsonWriterOptions readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether the layout can express a sample: it has no system turns, and one picture at most before a prompt.</summary>
    public static bool CanExpress(ToySample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        return sample.System.Length == 0 && !(sample.ArePicturesFirst && sample.Pictures.Length > 1);
    }

    /// <param name="samples">Samples that the layout can express.</param>
    /// <param name="folder">Is made where it is missing.</param>
    /// <returns>The path of the list.</returns>
    /// <exception cref="TrainingDataException">A sample cannot be expressed.</exception>
    public static string Write(IReadOnlyList<ToySample> samples, string folder)
    {
        ArgumentNullException.ThrowIfNull(samples);
        Directory.CreateDirectory(Path.Combine(folder, PictureFolder));
        string path = Path.Combine(folder, FileName);
        using FileStream file = File.Create(path);
        using Utf8JsonWriter json = new(file, readable);
        json.WriteStartArray();
        for (int number = 0; number < samples.Count; number++)
            Write(samples[number], number, folder, json);
        json.WriteEndArray();
        return path;
    }

    private static void Write(ToySample sample, int number, string folder, Utf8JsonWriter json)
    {
        if (!CanExpress(sample))
            throw new TrainingDataException($"{sample.Kind}, sample {number}: the published layout has no system turns, and one picture at most before a prompt");
        json.WriteStartObject();
        json.WriteString("id", FormattableString.Invariant($"{sample.Kind}-{number}"));
        json.WriteStartArray("conversations");
        foreach (ToyTurn turn in sample.Turns)
        {
            Say("user", turn.Question);
            Say("assistant", turn.Answer);
        }

        json.WriteEndArray();
        if (sample.Pictures.Length > 0)
        {
            json.WriteStartArray("image");
            for (int picture = 0; picture < sample.Pictures.Length; picture++)
            {
                string name = FormattableString.Invariant($"{PictureFolder}/{number:000000}-{picture}.png");
                File.WriteAllBytes(Path.Combine(folder, name), sample.Pictures[picture].ToPng());
                json.WriteStringValue(name);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();

        void Say(string from, string value)
        {
            json.WriteStartObject();
            json.WriteString("from", from);
            json.WriteString("value", value);
            json.WriteEndObject();
        }
    }
}
