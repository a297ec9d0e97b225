using System.Globalization;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Kernels;

/// <summary>What both linear kernels read and write; what a form does not use is null.</summary>
internal sealed class LinearCaseOperands
{
    private readonly long input;
    private readonly long weight;
    private readonly long? weightScale;
    private readonly long? weightZero;
    private readonly long? bias;
    private readonly long? residual;
    private readonly long output;

    public LinearCaseOperands(CaseMemory memory, LinearForm form, DType inputStorage, int rows, IReadOnlyList<SequenceSpan> spans)
    {
        long weights = (long)form.OutFeatures * form.InFeatures, groups = (long)form.OutFeatures * form.Weights.Groups(form.InFeatures);
        bool isQuantized = !form.Weights.IsFloat;
        input = memory.Values(inputStorage, (long)rows * form.InFeatures);
        weight = isQuantized ? memory.Integers(form.Weights.Elements.Bytes(weights)) : memory.Values(form.Storage, weights);
        weightScale = !isQuantized ? null : form.Weights.HasRowScales ? memory.Scales(form.OutFeatures) : memory.Values(DType.F16, groups);
        weightZero = form.Weights.HasZeroPoints ? memory.Zeros(groups) : null;
        bias = form.HasBias ? memory.Values(form.Storage, form.OutFeatures) : null;
        residual = form.HasResidual ? memory.Values(DType.F32, (long)rows * form.OutFeatures) : null;
        output = memory.Result((long)rows * form.OutputColumns * form.OutputElementBytes);
        Cache = form.Epilogue == LinearEpilogue.RopeKvAppend ? new CacheOperands(memory, form.Heads, form.Storage, spans) : null;
    }

    /// <summary>Of a linear that appends to it.</summary>
    public CacheOperands? Cache { get; }

    public DevicePointer Input(DevicePointer start) => start + input;

    public DevicePointer Weight(DevicePointer start) => start + weight;

    public DevicePointer WeightScale(DevicePointer start) => At(start, weightScale);

    public DevicePointer WeightZero(DevicePointer start) => At(start, weightZero);

    public DevicePointer Bias(DevicePointer start) => At(start, bias);

    public DevicePointer Residual(DevicePointer start) => At(start, residual);

    public DevicePointer Output(DevicePointer start) => start + output;

    private static DevicePointer At(DevicePointer start, long? offsetBytes) => offsetBytes is { } offset ? start + offset : default;
}

/// <summary>A linear in a few words.</summary>
internal static class LinearText
{
    /// <summary>"28672x4096 int8, gated": rows and columns of the weights, their format, what follows the product.</summary>
    public static string Of(LinearForm form)
    {
        List<string> words = [];
        if (form.Epilogue == LinearEpilogue.Gated) words.Add("gated");
        if (form.Epilogue == LinearEpilogue.RopeKvAppend) words.Add("rope and cache");
        if (form.HasBias) words.Add("bias");
        if (form.Activation != Activation.None) words.Add(form.Activation.ToString().ToLowerInvariant());
        if (form.HasResidual) words.Add("residual");
        else if (form.StoresFloat) words.Add("f32 out");
        if (HalfSums.Has(form)) words.Add("f16 sums");
        string format = form.Weights.IsFloat ? "" : $" {form.Weights}";
        return string.Create(CultureInfo.InvariantCulture, $"{form.OutFeatures}x{form.InFeatures}{format}{(words.Count > 0 ? ", " : "")}{string.Join(", ", words)}");
    }
}
