namespace XComposer2.Native.Graph;

public enum Activation : byte
{
    None,

    /// <summary>x * sigmoid(1.702 x), CLIP's.</summary>
    QuickGelu,

    /// <summary>Exact: x * (1 + erf(x / sqrt 2)) / 2, the projector's.</summary>
    Gelu,
}
