namespace XComposer2.Native.Graph;

/// <summary>Which buffer the greedy placement takes next. Ties keep the order of the operations, so that a plan is reproducible.</summary>
internal enum PlacementOrder : byte
{
    /// <summary>Largest first: small ones fill the gaps that large ones leave.</summary>
    BySize,

    /// <summary>Longest lived first: the residual stream and outputs settle at the bottom.</summary>
    ByLifetime,
}
