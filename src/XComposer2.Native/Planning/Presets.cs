using XComposer2.Native.Model;

namespace XComposer2.Native;

/// <summary>Presets as users name them.</summary>
internal static class Presets
{
    /// <exception cref="EngineException">No preset has this name.</exception>
    public static ModelConfig Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return ModelPresets.Names.Contains(name)
            ? ModelPresets.Find(name)
            : throw new EngineException($"preset: expected one of {string.Join(", ", ModelPresets.Names)}, found '{name}'");
    }
}
