using System.Globalization;
using System.Text;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>An opened checkpoint folder: its configuration and its tensors, mapped from the files. Safe to read from several threads.</summary>
public sealed class Checkpoint : IWeightSource
{
    private readonly IWeightSource source;
    private readonly HashSet<string> names;

    internal Checkpoint(string directory, string layout, string weights, ModelConfig config, IReadOnlyList<CheckpointTensor> tensors, IWeightSource source)
    {
        Directory = directory;
        Layout = layout;
        Weights = weights;
        Config = config;
        Tensors = tensors;
        this.source = source;
        names = [.. tensors.Select(tensor => tensor.Name)];
    }

    /// <summary>The folder, as given.</summary>
    public string Directory { get; }

    /// <summary>Description of the file layout.</summary>
    public string Layout { get; private set; }

    /// <summary>Element type of most weights and merged adapters in a few words, for example "bf16" or "4-bit GPTQ".</summary>
    public string Weights { get; }

    public ModelConfig Config { get; }

    /// <summary>All tensors, by the names that <see cref="TryGet"/> accepts.</summary>
    public IReadOnlyList<CheckpointTensor> Tensors { get; }

    /// <summary>How the files are used.</summary>
    public WeightLoading Loading { get; internal init; }

    /// <summary>What is worth knowing of how its weights are read, in a sentence; null for nothing.</summary>
    public string? Notice { get; internal init; }

    /// <summary>Bytes of all weight files, adapters included.</summary>
    public long FileBytes { get; internal init; }

    /// <summary>Bytes of all tensors in the files.</summary>
    public long TotalBytes => Tensors.Sum(tensor => tensor.Bytes);

    /// <inheritdoc/>
    /// <exception cref="CheckpointException">The tensor has an unsupported element type.</exception>
    public bool TryGet(string name, out HostTensor tensor)
    {
        tensor = default;
        return IsKnown(name) && source.TryGet(name, out tensor);
    }

    /// <inheritdoc/>
    /// <exception cref="CheckpointException">The tensor has an unsupported element type.</exception>
    public bool TryDescribe(string name, out HostTensor facts)
    {
        facts = default;
        return IsKnown(name) && source.TryDescribe(name, out facts);
    }

    public bool TryGetFormat(string name, out WeightFormat format)
    {
        format = default;
        return IsKnown(name) && source.TryGetFormat(name, out format);
    }

    public long AllocatedBytes(string name) => IsKnown(name) ? source.AllocatedBytes(name) : 0;

    public long HeldBytes => source.HeldBytes;

    public void RequireIntact() => source.RequireIntact();

    public void Release(string name) => source.Release(name);

    /// <summary>Like <see cref="TryGet"/>, without dequantising: for scans of the stored values.</summary>
    internal bool TryGetStoredNumbers(string name, out HostTensor tensor) =>
        source switch
        {
            GptqWeights quantized => quantized.TryGetStoredNumbers(name, out tensor),
            BitsAndBytesWeights weights => weights.TryGetStoredNumbers(name, out tensor),
            IntegerWeights integers => integers.TryGetStoredNumbers(name, out tensor),
            _ => source.TryGet(name, out tensor),
        };

    public void Dispose() => source.Dispose();

    /// <summary>Some of its weights are integers, which <see cref="ServeIntegers"/> serves.</summary>
    public bool HasIntegers => source is GptqWeights;

    /// <summary>From now on, quantised weights whose format a device reads are served as their integers, bit for bit, and not dequantised. Merged adapters need floats.</summary>
    /// <returns>Whether all of them are.</returns>
    /// <exception cref="CheckpointException">A group index names groups that there are not.</exception>
    public bool ServeIntegers(Func<WeightFormat, bool> isRead)
    {
        if (source is not GptqWeights quantized || !quantized.ServeIntegers(isRead))
            return false;
        Layout = Layout.Replace(DequantizedWords(quantized.WeightType), "", StringComparison.Ordinal);
        return true;
    }

    /// <summary>How a layout is described whose weights are dequantised.</summary>
    internal static string DequantizedWords(DType type) => $", dequantised to {type}";

    // Parts of integer weights have names of their own.
    private bool IsKnown(string name) => names.Contains(name) || names.Contains(WeightFormat.Parse(name).Weight);
}

/// <summary>How a checkpoint is opened.</summary>
public sealed record CheckpointOptions
{
    /// <summary>Limit of all dequantised GPTQ weights in F32, which is exact; above it they are dequantised to F16.</summary>
    public long ExactGptqLimitBytes { get; init; } = 4L << 30;

    /// <summary>Whether weight files are mapped or read into memory.</summary>
    public WeightLoading Loading { get; init; }

    /// <summary>Looked at while weight files are read into memory.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Folders of LoRA adapters (PEFT) that are merged into the weights while they load, in this order.</summary>
    public IReadOnlyList<string> Adapters { get; init; } = [];
}

/// <summary>An unusable checkpoint file. The message names the file, the field, the expected and the found value.</summary>
public sealed class CheckpointException : XComposerException
{
    private const int MaximumShownCharacters = 96;

    public CheckpointException(string file, string field, string expected, string found, Exception? inner = null)
        : base($"{file}: {field}: expected {expected}, found {found}", inner)
    {
        File = file;
        Field = field;
        Expected = expected;
        Found = found;
    }

    /// <summary>The file or folder.</summary>
    public string File { get; }

    /// <summary>The field, tensor, entry or byte offset inside of the file.</summary>
    public string Field { get; }

    public string Expected { get; }

    public string Found { get; }

    /// <summary>Text from a file, quoted for a message: shortened, and with control and formatting characters replaced.</summary>
    internal static string Show(string text)
    {
        StringBuilder shown = new("'");
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, MaximumShownCharacters)))
            shown.Append(IsShown(c) ? c : '?');
        return shown.Append(text.Length > MaximumShownCharacters ? "...'" : "'").ToString();
    }

    /// <summary>False for control and formatting characters, line separators and surrogates.</summary>
    private static bool IsShown(char c) => char.GetUnicodeCategory(c) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
