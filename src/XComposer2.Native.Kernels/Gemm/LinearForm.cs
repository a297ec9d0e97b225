using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>A linear y = x Wᵀ as prefill and decode both see it: sizes, types and what follows the product.</summary>
public sealed record LinearForm
{
    private readonly WeightFormat weights;

    /// <summary>Type of weights that are not integers, of bias, inputs and, mostly, outputs.</summary>
    public required DType Storage { get; init; }

    /// <summary>How the weights are stored: integers, or any floating format for the storage type.</summary>
    public WeightFormat Weights
    {
        get => weights.IsFloat ? WeightFormat.Of(Storage) : weights;
        init => weights = value.IsFloat ? default : value;
    }

    /// <summary>Columns of the weights: a multiple of <see cref="DeviceWeights.ColumnMultiple"/>.</summary>
    public required int InFeatures { get; init; }

    /// <summary>Rows of the weights: of gate and up together where the linear is gated.</summary>
    public required int OutFeatures { get; init; }

    /// <summary>What happens to a product before it is stored.</summary>
    public LinearEpilogue Epilogue { get; init; }

    /// <summary>Of a plain linear.</summary>
    public Activation Activation { get; init; }

    /// <summary>A bias in the storage type, in the order of the weights' rows.</summary>
    public bool HasBias { get; init; }

    /// <summary>A plain linear adds the residual stream [rows, out], F32.</summary>
    public bool HasResidual { get; init; }

    /// <summary>A plain linear stores F32: the residual stream, logits.</summary>
    public bool StoresFloat { get; init; }

    /// <summary>Of many rows: products may be added 32 at a time in F16 (<see cref="HalfSums"/>).</summary>
    public bool HasHalfSums { get; init; }

    /// <summary>Heads of the packed projection; of a linear that appends to the cache.</summary>
    public AttentionGeometry Heads { get; init; }

    /// <summary>Columns of the output.</summary>
    public int OutputColumns => Epilogue switch
    {
        LinearEpilogue.Gated => OutFeatures / 2,
        LinearEpilogue.RopeKvAppend => Heads.QueryColumns,
        _ => OutFeatures,
    };

    public int OutputElementBytes => StoresFloat ? sizeof(float) : Storage.ElementBytes();

    /// <summary>Bytes of the weights with all parts of their format.</summary>
    public long WeightBytes => Weights.Bytes(new Shape(OutFeatures, InFeatures));

    /// <summary>Refuses sizes that no kernel has a form for.</summary>
    /// <exception cref="ArgumentException">The message names the property.</exception>
    internal void Require()
    {
        int chunk = DeviceWeights.Of(Weights).ColumnMultiple, rows = DeviceWeights.Of(Weights).RowMultiple;
        if (InFeatures < chunk || InFeatures % chunk != 0)
            throw Refused(nameof(InFeatures), $"a multiple of {chunk}", InFeatures);
        if (OutFeatures < 1)
            throw Refused(nameof(OutFeatures), "at least 1", OutFeatures);
        if (OutFeatures % rows != 0)
            throw Refused(nameof(OutFeatures), $"a multiple of {rows}", OutFeatures);
        if (Epilogue != LinearEpilogue.Plain && (Activation != Activation.None || HasResidual || StoresFloat))
            throw Refused(nameof(Epilogue), "no activation, residual or F32 output beside it", Epilogue);
        if (Epilogue == LinearEpilogue.Gated && OutFeatures % 16 != 0)
            throw Refused(nameof(OutFeatures), "a multiple of 16 (8 gates, 8 ups)", OutFeatures);
        if (Epilogue == LinearEpilogue.RopeKvAppend && (Heads.HeadSize % 32 != 0 || Heads.KeyValueHeads < 1 || OutFeatures != Heads.PackedColumns))
            throw Refused(nameof(Heads), $"heads of a multiple of 32 that make {OutFeatures} rows", Heads);
    }

    /// <summary>What both kernels define.</summary>
    internal IEnumerable<(string Name, string Value)> Definitions()
    {
        yield return ("STORAGE", Storage.CudaName());
        yield return ("PLAIN_ARITHMETIC", Storage == DType.F32 ? "1" : "0");
        foreach ((string Name, string Value) definition in DeviceWeights.Of(Weights).Definitions())
            yield return definition;
        yield return ("IN_FEATURES", Number(InFeatures));
        yield return ("OUT_FEATURES", Number(OutFeatures));
        yield return ("EPILOGUE", Number((int)Epilogue));
        yield return ("ACTIVATION", Number((int)Activation));
        yield return ("HAS_BIAS", HasBias ? "1" : "0");
        yield return ("HAS_RESIDUAL", HasResidual ? "1" : "0");
        yield return ("OUTPUT", StoresFloat ? "f32" : Storage.CudaName());
        if (Epilogue != LinearEpilogue.RopeKvAppend) yield break;
        yield return ("HEAD_SIZE", Number(Heads.HeadSize));
        yield return ("GROUP_SIZE", Number(Heads.GroupSize));
        yield return ("KV_HEADS", Number(Heads.KeyValueHeads));
    }

    /// <summary>Bytes and operations of so many rows, without Partial LoRA.</summary>
    internal KernelCost Cost(int rows, int inputElementBytes)
    {
        long cacheBytes = Epilogue == LinearEpilogue.RopeKvAppend ? 2L * rows * Heads.KeyValueColumns * Storage.ElementBytes() : 0;
        long residualBytes = HasResidual ? (long)rows * OutFeatures * sizeof(float) : 0;
        long bytes = WeightBytes + ((long)rows * InFeatures * inputElementBytes) + ((long)rows * OutputColumns * OutputElementBytes) + cacheBytes + residualBytes;
        return new KernelCost(bytes, 2L * rows * InFeatures * OutFeatures);
    }

    /// <summary>What Partial LoRA adds to it in the linear itself: tiles of text alone do not read B.</summary>
    internal KernelCost LoraCost(int rank, int inputs, int visualRows)
    {
        long bytes = visualRows == 0 ? 0 : ((long)OutFeatures + ((long)visualRows * inputs)) * rank * Storage.ElementBytes();
        return new KernelCost(bytes, 2L * visualRows * rank * OutFeatures);
    }

    private static string Number(int value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static ArgumentException Refused(string property, string expected, object found) =>
        new($"{nameof(LinearForm)}.{property}: expected {expected}, found {found}", property);
}

/// <summary>What a linear does with its sums, from the lowered operation to the kernel's EPILOGUE: the numbers are those of <c>gemm/linear_epilogue.cuh</c>.</summary>
public enum LinearEpilogue : byte
{
    /// <summary>activation(sum + bias) + residual, each where there is one.</summary>
    Plain = 0,

    /// <summary>silu(gate) * up: half as many columns. Rows of the weights in the order of <see cref="RowPermutation.GateUp"/>.</summary>
    Gated = 1,

    /// <summary>Queries and keys are rotated, keys and values appended to the cache. Rows of the weights in the order of <see cref="RowPermutation.Rope"/>.</summary>
    RopeKvAppend = 2,
}
