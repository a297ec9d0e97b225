namespace XComposer2.Native.Model;

/// <summary>What is done to the decoder's linears (packed projection, attention output, gate, up, down) while they are loaded. Everything else stays as stored:
/// Partial LoRA is small and works on the rest's error, and the head's error would go straight into the logits.</summary>
public enum WeightQuantization : byte
{
    /// <summary>Nothing: as stored.</summary>
    None,

    /// <summary>8-bit integers with one scale for each output row (<see cref="Int8Rows"/>).</summary>
    Int8,
}
