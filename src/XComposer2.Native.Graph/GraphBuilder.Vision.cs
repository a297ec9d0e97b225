namespace XComposer2.Native.Graph;

public sealed partial class GraphBuilder
{
    /// <summary>Patches through a stride-p convolution, class token first, position table added.</summary>
    /// <param name="pixels">[images, 3, S, S] F32, S a multiple of p.</param>
    /// <param name="weight">[width, 3, p, p].</param>
    /// <param name="classToken">[width].</param>
    /// <param name="positions">[patches + 1, width].</param>
    /// <param name="name">Name of the output; operation and number where null.</param>
    /// <returns>[images x (patches + 1), width] F32.</returns>
    public Tensor PatchEmbedding(Tensor pixels, Tensor weight, Tensor classToken, Tensor positions, string? name = null)
    {
        OperandCheck check = Begin("patch_embedding", name);
        TensorSpec x = check.Activation(pixels, "pixels", 4, DType.F32);
        TensorSpec w = check.Weight(weight, "weight", 4);
        (int width, int patch, int side) = (w.Shape[0], w.Shape[3], x.Shape[3]);
        check.SameShape("pixels", x, new Shape(x.Shape[0], 3, side, side));
        check.SameShape("weight", w, new Shape(width, 3, patch, patch));
        check.Require(side % patch == 0, "pixels", $"sides that are a multiple of the patch size {patch}", side);
        long tokens = ((long)(side / patch) * (side / patch)) + 1;
        check.Require(tokens * x.Rows.PerUnit <= int.MaxValue, "pixels", "tokens within 31 bits", tokens);
        check.Weight(classToken, "classToken", [width]);
        check.Weight(positions, "positions", [(int)tokens, width]);
        Tensor output = Result(check, x.Rows with { PerUnit = x.Rows.PerUnit * (int)tokens }, width);
        return Append(new PatchEmbeddingOp(pixels, weight, classToken, positions, output));
    }

    /// <summary>Attention of every token to every token of the same picture, no mask.</summary>
    /// <param name="query">[images x tokens, heads x head size] F32.</param>
    /// <param name="key">As <paramref name="query"/>.</param>
    /// <param name="value">As <paramref name="query"/>.</param>
    /// <param name="tokensPerImage">Rows that attend to each other; divides the rows per image.</param>
    /// <param name="heads">Divides the columns.</param>
    /// <param name="name">Name of the output; operation and number where null.</param>
    /// <returns>As <paramref name="query"/>.</returns>
    public Tensor VisionAttention(Tensor query, Tensor key, Tensor value, int tokensPerImage, int heads, string? name = null)
    {
        OperandCheck check = Begin("vision_attention", name);
        TensorSpec q = check.Matrix(query, "query");
        foreach ((Tensor tensor, string operand) in ((Tensor, string)[])[(key, "key"), (value, "value")])
        {
            TensorSpec spec = check.Matrix(tensor, operand);
            check.SameShape(operand, spec, q.Shape);
            check.SameRows(operand, spec, q.Rows);
        }

        check.Require(tokensPerImage > 0 && q.Rows.PerUnit % tokensPerImage == 0, "tokensPerImage", $"a divisor of {q.Rows.PerUnit} rows", tokensPerImage);
        check.Require(heads > 0 && q.Shape[1] % heads == 0, "heads", $"a divisor of {q.Shape[1]} columns", heads);
        Tensor output = Result(check, q.Rows, q.Shape[1]);
        return Append(new VisionAttentionOp(query, key, value, tokensPerImage, heads, output));
    }

    /// <summary>Drops the class token of each picture: [images x tokensPerImage, width] to [images x (tokensPerImage - 1), width].</summary>
    public Tensor SelectPatches(Tensor input, int tokensPerImage, string? name = null)
    {
        OperandCheck check = Begin("select_patches", name);
        TensorSpec x = check.Matrix(input, "input");
        int perUnit = x.Rows.PerUnit;
        check.Require(tokensPerImage > 1 && perUnit % tokensPerImage == 0, "tokensPerImage", $"a divisor of {perUnit} rows, 2 or more", tokensPerImage);
        Tensor output = Result(check, x.Rows with { PerUnit = perUnit - (perUnit / tokensPerImage) }, x.Shape[1]);
        return Append(new SelectPatchesOp(input, tokensPerImage, output));
    }
}
