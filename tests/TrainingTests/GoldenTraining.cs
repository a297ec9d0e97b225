using System.Text.Json;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using XComposer2.Native.Training;
using XComposer2.Native.UnitTests;

namespace XComposer2.Native.TrainingTests;

/// <summary>The material of ../shared/golden/training, and the demo checkpoint that it was made on.</summary>
internal static class GoldenTraining
{
    public static string Model => TestPaths.Shared("demo-model/checkpoint");

    public static string PathOf(string file) => TestPaths.Shared("golden/training/" + file);

    public static JsonDocument Json(string file) => JsonDocument.Parse(File.ReadAllBytes(PathOf(file)));

    /// <summary>Its six samples, ready for a graph.</summary>
    public static PreparedSample[] Samples(ModelConfig config)
    {
        var preparer = new SamplePreparer(config, new TrainingText(TextTokenizer.Load(Model)), config.ContextLength);
        return [.. ConversationFile.Read(PathOf("samples.json")).Select(preparer.Prepare)];
    }

    public static int[] Integers(JsonElement list) => [.. list.EnumerateArray().Select(value => value.GetInt32())];

    /// <summary>Relative L2 distance.</summary>
    public static double Distance(ReadOnlySpan<float> found, ReadOnlySpan<float> expected)
    {
        (double difference, double norm) = (0, 0);
        for (int i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow((double)found[i] - expected[i], 2);
            norm += Math.Pow(expected[i], 2);
        }

        return norm == 0 ? Math.Sqrt(difference) : Math.Sqrt(difference / norm);
    }

    /// <summary>Number of a parameter.</summary>
    public static int Find(this IParameterMemory parameters, string name)
    {
        for (int i = 0; i < parameters.Parameters.Length; i++)
            if (parameters.Parameters[i].Name == name)
                return i;
        throw new ArgumentException($"no parameter is called '{name}'", nameof(name));
    }
}
