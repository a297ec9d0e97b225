using XComposer2.Native.Model;

namespace XComposer2.Native.Calibration;

/// <summary>Texts and pictures whose way through a model shows a quantiser which inputs matter.</summary>
/// <param name="Samples">Questions and texts as users write them, with their pictures.</param>
public sealed record CalibrationSet(IReadOnlyList<UserMessage> Samples)
{
    private const long MostBytes = 16 << 20;

    private const int MostSamples = 1024;

    private static readonly string[] texts =
    [
        "Write a short story about a lighthouse keeper who finds a letter in a bottle. Describe the storm of the night before, the colour of the sea in the morning, and what the letter says.",
        "Explain how a refrigerator works. Name the compressor, the condenser, the expansion valve and the evaporator, and say where the heat goes.",
        "请写一篇关于秋天的短文，描写树叶的颜色、早晨的雾、集市上的水果，以及孩子们放学回家的路。",
        "What is the difference between a virus and a bacterium? Answer in three sentences, then list two diseases that each of them causes.",
        "def median(values):\n    ordered = sorted(values)\n    middle = len(ordered) // 2\n    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2\n\nWhat does this function return for [3, 1, 2]?",
        "把下面的句子翻译成英文：如果明天不下雨，我们就去山上看日出，然后在湖边吃早饭。",
        "A train leaves at 9:40 and arrives at 13:05. It stops four times, six minutes each. How long was it moving? Show each step of the calculation.",
        "Summarise the causes of the First World War: alliances, militarism, nationalism and the crisis of July 1914.",
        "List ten ingredients of a vegetable soup, with amounts for four people, and the order in which they go into the pot.",
        "量子力学和经典力学的主要区别是什么？请举两个例子说明。",
        "Dear Sir or Madam, I ordered a lamp on 3 March (order 48213), which arrived broken. Please send a replacement or refund the price of 59.90 euros. Kind regards.",
        "The picture shows a busy street at night. Neon signs in red and blue are reflected in the wet asphalt, people with umbrellas cross the road, and a yellow taxi waits at the corner.",
    ];

    private static readonly string[] questions = ["Describe this image in detail.", "What colours do you see, and where?", "请描述这张图片。"];

    /// <summary>What is used where no file is named: texts in English and Chinese, and drawn pictures.</summary>
    public static CalibrationSet BuiltIn { get; } = new([.. texts.Select(text => new UserMessage(text, []))]) { DrawnPictures = questions };

    /// <summary>Questions about pictures that need no file.</summary>
    internal IReadOnlyList<string> DrawnPictures { get; init; } = [];

    /// <summary>Reads a text file with a sample in each line; words that begin with @ are paths of pictures, from the file's folder.</summary>
    /// <param name="path">UTF-8.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    /// <exception cref="EngineException">The file has no samples, or too many.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static CalibrationSet Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        EngineException.ThrowUnless(new FileInfo(path) is { Exists: true } file && file.Length <= MostBytes, path, $"a file of samples, at most {MostBytes} bytes", File.Exists(path) ? $"{new FileInfo(path).Length}" : "none");
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        List<UserMessage> samples = [];
        foreach (string line in File.ReadLines(path).Where(line => !string.IsNullOrWhiteSpace(line)))
        {
            EngineException.ThrowUnless(samples.Count < MostSamples, path, $"at most {MostSamples} samples", $"more");
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            ImageInput[] pictures = [.. words.Where(IsPicture).Select(word => ImageInput.FromFile(Path.Combine(folder, word[1..])))];
            string text = string.Join(' ', words.Where(word => !IsPicture(word)));
            EngineException.ThrowUnless(text.Length > 0, path, "a text in every line", $"none in line {samples.Count + 1}");
            samples.Add(new UserMessage(text, pictures));
        }

        EngineException.ThrowUnless(samples.Count > 0, path, "a sample in each line", "none");
        return new CalibrationSet(samples);
    }

    private static bool IsPicture(string word) => word.Length > 1 && word[0] == '@';
}
