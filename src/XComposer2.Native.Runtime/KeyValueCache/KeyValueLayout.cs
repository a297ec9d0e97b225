using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>What one page of the cache holds: keys and values of all layers for 64 tokens.</summary>
/// <param name="Layers">Decoder layers.</param>
/// <param name="Geometry">Heads.</param>
/// <param name="Type">F32 or BF16.</param>
public readonly record struct KeyValueLayout(int Layers, AttentionGeometry Geometry, DType Type)
{
    public long PageBytes => KeyValuePages.Bytes(Geometry, Layers, KeyValuePages.TokensPerPage, Type);
}
