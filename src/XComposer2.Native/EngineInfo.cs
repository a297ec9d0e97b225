using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>Facts about a loaded model.</summary>
/// <param name="Model">Variant and layout in words, for example "internlm-xcomposer2-vl-7b, torch .bin, 2 shards".</param>
/// <param name="Device">What it runs on, for example "cpu, 2 threads, AVX-512".</param>
/// <param name="ContextLength">Longest sequence in tokens.</param>
/// <param name="TokensPerImage">Positions that a picture takes.</param>
/// <param name="LoadTime">From the call of <see cref="XComposerEngine.LoadAsync"/> to ready.</param>
/// <param name="DeviceNote">Why a faster kind of device was not taken, in a sentence; null where none was passed over.</param>
public sealed record EngineInfo(string Model, string Device, int ContextLength, int TokensPerImage, TimeSpan LoadTime, string? DeviceNote = null)
{
    /// <summary>A faster kind of device seems to be there and could not be used, which its owner will want to know.</summary>
    public bool DeviceFailed { get; init; }

    internal static string Describe(Checkpoint checkpoint)
    {
        string variant = checkpoint.Config.Variant switch
        {
            ModelVariant.VisionLanguage7B => ModelPresets.VisionLanguage7B,
            ModelVariant.Composition7B => ModelPresets.Composition7B,
            ModelVariant.VisionLanguage1B8 => ModelPresets.VisionLanguage1B8,
            ModelVariant.HighResolution7B => "internlm-xcomposer2-4khd-7b",
            _ => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(checkpoint.Directory))),
        };
        return $"{variant}, {checkpoint.Layout}";
    }
}
