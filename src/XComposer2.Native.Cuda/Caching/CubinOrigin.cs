namespace XComposer2.Native.Cuda;

/// <summary>Where compiled code came from.</summary>
public enum CubinOrigin
{
    /// <summary>Compiled now.</summary>
    Compiled,

    /// <summary>Compiled by an earlier run, on this machine.</summary>
    Cached,

    /// <summary>Came with the program.</summary>
    Shipped,
}
