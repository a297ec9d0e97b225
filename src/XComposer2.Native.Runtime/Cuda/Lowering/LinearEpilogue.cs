namespace XComposer2.Native.Runtime;

/// <summary>What happens to a product before it is stored.</summary>
internal enum LinearEpilogue : byte
{
    /// <summary>Bias, activation, residual, each where there is one.</summary>
    Plain,

    /// <summary>silu(gate) * up.</summary>
    Gated,

    /// <summary>Queries and keys are rotated; keys and values go to the cache.</summary>
    RopeKvAppend,
}
