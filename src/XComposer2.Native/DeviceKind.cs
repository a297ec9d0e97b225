namespace XComposer2.Native;

/// <summary>A kind of device.</summary>
public enum DeviceKind
{
    /// <summary>The fastest that works on this machine.</summary>
    Auto,

    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>An NVIDIA GPU.</summary>
    Cuda,
}
