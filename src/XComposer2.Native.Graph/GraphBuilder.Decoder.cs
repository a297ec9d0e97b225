namespace XComposer2.Native.Graph;

public sealed partial class GraphBuilder
{
    /// <summary>Text ids looked up in the table, visual rows copied.</summary>
    /// <param name="ids">[tokens] I32.</param>
    /// <param name="table">[vocabulary, hidden], of a floating type or int8 by rows.</param>
    /// <param name="visual">[visual rows, hidden] F32; null in decode. Needs <paramref name="visualRow"/>.</param>
    /// <param name="visualRow">[tokens] I32: row of <paramref name="visual"/>, negative for text. Not read where <paramref name="visual"/> is null.</param>
    /// <param name="name">Name of the output; operation and number where null.</param>
    /// <returns>[tokens, hidden] F32.</returns>
    public Tensor EmbedTokens(Tensor ids, LinearWeight table, Tensor? visual = null, Tensor? visualRow = null, string? name = null)
    {
        OperandCheck check = Begin("embed_tokens", name);
        TensorSpec tokens = check.Activation(ids, "ids", 1, DType.I32);
        int hidden = check.LinearWeight(table, "table").Shape[1];
        check.Require(table.Format.IsFloat || table.Format == WeightFormat.Int8, "table", $"a floating type or {WeightFormat.Int8}", table.Format);
        if (visual is { } pictures)
        {
            TensorSpec rows = check.Matrix(pictures, "visual");
            check.SameShape("visual", rows, new Shape(rows.Shape[0], hidden));
        }

        if (visualRow is { } index)
            check.RowIndices(index, "visualRow", tokens.Rows);
        check.Require(visual is null || visualRow is not null, "visualRow", "the visual row of each token, because there are visual rows", "null");
        Tensor output = Result(check, tokens.Rows, hidden);
        return Append(new EmbedTokensOp(ids, table, visual, visual is null ? null : visualRow, output));
    }

    /// <summary>The same with a table of a floating type.</summary>
    public Tensor EmbedTokens(Tensor ids, Tensor table, Tensor? visual = null, Tensor? visualRow = null, string? name = null) =>
        EmbedTokens(ids, Stored(table), visual, visualRow, name);

    /// <summary>Rotates queries and keys and appends keys and values to the cache of <paramref name="layer"/>, which each graph may do once per layer.</summary>
    /// <param name="packed">[tokens, (q + 2 kv) x d] F32.</param>
    /// <param name="layer">Index into the cache.</param>
    /// <param name="geometry">Head layout.</param>
    /// <param name="ropeTheta">Base of the rotation's wavelengths.</param>
    /// <param name="name">Name of the output; operation and number where null.</param>
    /// <returns>Rotated queries [tokens, q x d] F32.</returns>
    public Tensor RopeKvAppend(Tensor packed, int layer, AttentionGeometry geometry, float ropeTheta, string? name = null)
    {
        OperandCheck check = Begin("rope_kv_append", name);
        CheckGeometry(check, layer, geometry);
        TensorSpec x = check.Matrix(packed, "packed");
        check.SameShape("packed", x, new Shape(x.Shape[0], geometry.PackedColumns));
        check.SameRows("packed", x, RowExtent.Tokens);
        check.Require(float.IsFinite(ropeTheta) && ropeTheta > 0, "ropeTheta", "a finite number above 0", ropeTheta);
        check.Require(!cachedLayers.ContainsKey(layer), "layer", "a layer that this graph has not appended to", layer);
        Tensor output = Result(check, x.Rows, geometry.QueryColumns);
        cachedLayers.Add(layer, geometry);
        return Append(new RopeKvAppendOp(packed, layer, geometry, ropeTheta, output));
    }

    /// <summary>Causal attention to the cache of <paramref name="layer"/>, which this graph must have appended to before. Query [tokens, q x d] F32; returns the same shape.</summary>
    public Tensor PagedAttention(Tensor query, int layer, AttentionGeometry geometry, string? name = null)
    {
        OperandCheck check = Begin("paged_attention", name);
        CheckGeometry(check, layer, geometry);
        TensorSpec q = check.Matrix(query, "query");
        check.SameShape("query", q, new Shape(q.Shape[0], geometry.QueryColumns));
        check.SameRows("query", q, RowExtent.Tokens);
        bool appended = cachedLayers.TryGetValue(layer, out AttentionGeometry cached);
        check.Require(appended, "layer", "a layer that rope_kv_append has appended to", layer);
        check.Require(cached == geometry, "geometry", $"{cached} as appended", geometry);
        Tensor output = Result(check, q.Rows, geometry.QueryColumns);
        return Append(new PagedAttentionOp(query, layer, geometry, output));
    }

    private static void CheckGeometry(OperandCheck check, int layer, AttentionGeometry geometry)
    {
        check.Require(layer >= 0, "layer", "0 or more", layer);
        (int queries, int keys, int size) = geometry;
        check.Require(queries > 0 && keys > 0 && queries % keys == 0, "geometry", "query heads that are a multiple of the key/value heads", geometry);
        check.Require(size > 0 && size % 2 == 0, "geometry", "an even head size, because it is rotated in halves", geometry);
        check.Require((queries + (2L * keys)) * size <= int.MaxValue, "geometry", "columns within 31 bits", geometry);
    }
}
