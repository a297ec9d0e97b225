using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using XComposer2.Demo.Conversations;
using XComposer2.Demo.Mixtures;
using XComposer2.Native;
using XComposer2.Native.Generation;

namespace XComposer2.Demo.Checking;

/// <summary>What became of the files when a checkpoint was asked anew.</summary>
/// <param name="Kept">Questions that remain.</param>
/// <param name="Changed">Of these, with another answer than before.</param>
/// <param name="Right">Of all that the file has now, with the right answer.</param>
/// <param name="Replaced">Questions whose answers were too uncertain, and that others stand for now.</param>
public readonly record struct CaseChanges(int Kept, int Changed, int Right, int Replaced);

/// <summary>
/// Brings files with a checkpoint's answers up to date: <c>cases.json</c> of the tests, and <c>samples.json</c> of the demo's pictures. Questions and pictures stay; answers are
/// certain: each token leads the next likely one by a number of logits, so that another rounding gives the same text.
/// </summary>
/// <param name="checkpoint">Answers.</param>
/// <param name="leastLead">Logits between a chosen token and the next.</param>
public sealed class PublishedCases(CheckpointAnswers checkpoint, double leastLead)
{
    private const string CasesFile = "cases.json";

    private static readonly JsonWriterOptions layout = new() { Indented = true, IndentSize = 1, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Mixture replacements = new("cases", [("vision", 3), ("text", 1), ("compose", 1)]);

    /// <summary>Asks the questions of <c>cases.json</c>. Where an answer is uncertain, a new question with new pictures takes the place; old pictures stay, other tests read them.</summary>
    /// <exception cref="IOException">The folder cannot be read or written.</exception>
    public async Task<CaseChanges> UpdateCasesAsync(string folder, CancellationToken cancellation)
    {
        string path = Path.Combine(folder, CasesFile);
        JsonArray cases = Read(path);
        int changed = 0, replaced = 0, pictures = cases.Count;
        for (int i = 0; i < cases.Count; i++)
        {
            JsonObject one = cases[i]!.AsObject();
            ImageInput[] images = [.. one["images"]!.AsArray().Select(name => ImageInput.FromFile(Path.Combine(folder, name!.GetValue<string>())))];
            if (await checkpoint.AskCertainlyAsync(one["prompt"]!.GetValue<string>(), images, leastLead, cancellation).ConfigureAwait(false) is { } certain)
            {
                changed += certain.Result.Text == one["expected"]!.GetValue<string>() ? 0 : 1;
                Answer(one, certain);
                continue;
            }

            cases[i] = await ReplacementAsync(folder, (uint)replaced, pictures + replaced, cancellation).ConfigureAwait(false);
            replaced++;
        }

        Write(path, cases);
        int right = cases.Count(one => one!["expected"]!.GetValue<string>() == one["truth"]!.GetValue<string>());
        return new CaseChanges(cases.Count - replaced, changed, right, replaced);
    }

    /// <summary>Asks the questions of <c>samples.json</c>, whose answers are right and stay. Questions that the checkpoint answers otherwise or with doubt are removed.</summary>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public async Task<CaseChanges> UpdateSamplesAsync(string path, CancellationToken cancellation)
    {
        JsonArray samples = Read(path);
        int kept = 0, removed = 0;
        foreach (JsonNode? sample in samples)
        {
            ImageInput image = ImageInput.FromFile(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, sample!["image"]!.GetValue<string>()));
            JsonArray asked = sample["asked"]!.AsArray();
            foreach (JsonObject question in asked.Select(each => each!.AsObject()).ToList())
            {
                CertainAnswer? certain = await checkpoint.AskCertainlyAsync(ToySample.Image + question["question"]!.GetValue<string>(), [image], leastLead, cancellation).ConfigureAwait(false);
                bool isRight = certain?.Result.Text == question["answer"]!.GetValue<string>();
                (kept, removed) = isRight ? (kept + 1, removed) : (kept, removed + 1);
                if (isRight)
                    question["smallest_lead"] = Math.Round(certain!.SmallestLead, 2);
                else
                    asked.Remove(question);
            }
        }

        Write(path, samples);
        return new CaseChanges(kept, 0, kept, removed);
    }

    private async Task<JsonObject> ReplacementAsync(string folder, uint number, int name, CancellationToken cancellation)
    {
        for (long draw = 0; ; draw++)
        {
            ToySample sample = replacements.Sample(ToySamples.FirstHeldOutSeed | number, draw);
            ToyTurn turn = sample.Turns[0];
            byte[][] files = [.. sample.Pictures.Select(picture => picture.ToPng())];
            ImageInput[] images = [.. files.Select((bytes, i) => ImageInput.FromBytes(bytes, $"picture {i + 1}"))];
            if (sample.System.Length > 0 || await checkpoint.AskCertainlyAsync(turn.Question, images, leastLead, cancellation).ConfigureAwait(false) is not { } certain)
                continue;
            JsonArray names = [];
            for (int i = 0; i < files.Length; i++)
            {
                string file = FormattableString.Invariant($"{name:000}-{i}.png");
                await File.WriteAllBytesAsync(Path.Combine(folder, file), files[i], cancellation).ConfigureAwait(false);
                names.Add((JsonNode)file);
            }

            JsonObject one = new() { ["prompt"] = turn.Question, ["images"] = names, ["expected"] = "", ["ids"] = new JsonArray(), ["truth"] = turn.Answer, ["smallest_lead"] = 0 };
            Answer(one, certain);
            return one;
        }
    }

    private static void Answer(JsonObject one, CertainAnswer certain)
    {
        one["expected"] = certain.Result.Text;
        one["ids"] = new JsonArray([.. certain.Result.TokenIds.Select(id => (JsonNode)id)]);
        one["smallest_lead"] = Math.Round(certain.SmallestLead, 3);
    }

    private static JsonArray Read(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllBytes(path))!.AsArray();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new IOException($"{path}: expected a list of cases: {error.Message}", error);
        }
    }

    private static void Write(string path, JsonArray cases)
    {
        using FileStream file = File.Create(path);
        using (Utf8JsonWriter json = new(file, layout))
            cases.WriteTo(json);
        file.WriteByte((byte)'\n');
    }
}
