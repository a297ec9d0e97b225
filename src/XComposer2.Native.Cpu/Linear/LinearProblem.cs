using XComposer2.Native.Graph;

namespace XComposer2.Native.Cpu;

/// <summary>Checked operands of a linear, plain or gated.</summary>
internal readonly unsafe struct LinearProblem
{
    public required float* Input { get; init; }

    public required int Rows { get; init; }

    public required LinearBranch Main { get; init; }

    /// <summary>Null where the linear is not gated.</summary>
    public LinearBranch? Up { get; init; }

    public FloatMatrix? Bias { get; init; }

    public Activation Activation { get; init; }

    public float* Residual { get; init; }

    public required int* VisualRow { get; init; }

    public required float* Output { get; init; }

    public int Inputs => Main.Weight.Columns;

    public int Outputs => Main.Weight.Rows;

    /// <summary>The larger rank of the branches.</summary>
    public int Rank => Math.Max(Main.Rank, Up?.Rank ?? 0);

    /// <summary>A weight of it is packed for integer products.</summary>
    public bool HasPackedIntegers => Main.HasPackedIntegers || Up is { HasPackedIntegers: true };

    /// <summary>Refuses what no linear can start from.</summary>
    public static void Require(float* input, int rows, float* output, WorkerPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        if (rows == 0)
            return;
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
    }

    /// <summary>Refuses matrices that do not fit each other.</summary>
    public static LinearBranch Branch(WeightMatrix weight, string weightName, LoraMatrices? lora, string loraName)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(weight.Columns, 1, weightName);
        weight.Require(weightName, weight.Rows, weight.Columns);
        if (lora is not { } matrices)
            return new LinearBranch(weight, null);
        matrices.A.Require($"{loraName}.{nameof(matrices.A)}", matrices.A.Rows, weight.Columns);
        matrices.B.Require($"{loraName}.{nameof(matrices.B)}", weight.Rows, matrices.A.Rows);
        return new LinearBranch(weight, matrices.A.Rows == 0 ? null : lora);
    }

    /// <summary>The walk over the rows; <paramref name="memory"/> holds one number per row.</summary>
    public RowOrder Order(int* memory) =>
        VisualRow is null || Rank == 0 ? RowOrder.Unchanged(Rows) : RowOrder.VisualFirst(VisualRow, Rows, memory);
}

/// <summary>One weight with its Partial LoRA: a gated linear has two.</summary>
/// <param name="Weight">[outputs, inputs].</param>
/// <param name="Lora">Null for none.</param>
internal readonly record struct LinearBranch(WeightMatrix Weight, LoraMatrices? Lora)
{
    public int Rank => Lora?.A.Rows ?? 0;

    public bool HasPackedIntegers => Weight.Integers is not null || Lora is { A.Integers: not null } or { B.Integers: not null };
}

/// <summary>Partial LoRA of one linear: y += scale * (x Aᵀ) Bᵀ on visual rows. Does not own its bytes.</summary>
/// <param name="A">[rank, in].</param>
/// <param name="B">[out, rank].</param>
/// <param name="Scale">alpha / rank.</param>
public readonly record struct LoraMatrices(WeightMatrix A, WeightMatrix B, float Scale);
