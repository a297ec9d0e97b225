namespace XComposer2.Native.Model;

/// <summary>Which published model a checkpoint is, by its sizes. <see cref="Other"/> runs like the rest.</summary>
public enum ModelVariant : byte
{
    /// <summary>Sizes of none of the published models (the demo, test models, derivatives).</summary>
    Other,

    /// <summary>internlm-xcomposer2-vl-7b.</summary>
    VisionLanguage7B,

    /// <summary>internlm-xcomposer2-7b, for composition: the 7B with pictures of 224 pixels.</summary>
    Composition7B,

    /// <summary>internlm-xcomposer2-vl-1_8b.</summary>
    VisionLanguage1B8,

    /// <summary>internlm-xcomposer2-4khd-7b: pictures in tiles.</summary>
    HighResolution7B,
}
