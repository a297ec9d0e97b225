namespace XComposer2.Native.Graph;

/// <summary>Head layout of a decoder layer. wqkv packs, per key/value head: its query heads, then the key, then the value.</summary>
public readonly record struct AttentionGeometry(int QueryHeads, int KeyValueHeads, int HeadSize)
{
    /// <summary>Query heads of each key/value head; 0 for no heads at all.</summary>
    public int GroupSize => KeyValueHeads == 0 ? 0 : QueryHeads / KeyValueHeads;

    /// <summary>Columns of the packed projection: (query heads + 2 x key/value heads) x head size.</summary>
    public int PackedColumns => (QueryHeads + (2 * KeyValueHeads)) * HeadSize;

    public int QueryColumns => QueryHeads * HeadSize;

    /// <summary>Columns of the keys (or of the values) of one token.</summary>
    public int KeyValueColumns => KeyValueHeads * HeadSize;
}
