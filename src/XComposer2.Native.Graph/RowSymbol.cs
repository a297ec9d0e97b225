namespace XComposer2.Native.Graph;

/// <summary>What a tensor's leading size counts. A plan is made for a capacity of each symbol and run with any smaller count.</summary>
public enum RowSymbol : byte
{
    /// <summary>The leading size is a constant.</summary>
    Fixed,

    /// <summary>Positions of the step: prompt tokens and visual rows in prefill, sequences in decode.</summary>
    Tokens,

    /// <summary>Positions whose logits are wanted.</summary>
    Logits,

    /// <summary>Pictures.</summary>
    Images,
}
