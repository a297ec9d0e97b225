using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.KernelBench;

/// <summary>What both linear kernels read and write; what a form does not use is null.</summary>
internal sealed class LinearOperands
{
    private readonly long input;
    private readonly long weight;
    private readonly long? weightScale;
    private readonly long? bias;
    private readonly long? residual;
    private readonly long output;

    public LinearOperands(CaseMemory memory, LinearForm form, KernelStorage inputStorage, int rows, IReadOnlyList<SequenceSpan> spans)
    {
        long weights = (long)form.OutFeatures * form.InFeatures;
        bool isInt8 = form.Weights == WeightFormat.Int8;
        input = memory.Values(inputStorage, (long)rows * form.InFeatures);
        weight = isInt8 ? memory.Integers(weights) : memory.Values(form.Storage, weights);
        weightScale = isInt8 ? memory.Scales(form.OutFeatures) : null;
        bias = form.HasBias ? memory.Values(form.Storage, form.OutFeatures) : null;
        residual = form.HasResidual ? memory.Values(KernelStorage.F32, (long)rows * form.OutFeatures) : null;
        output = memory.Result((long)rows * form.OutputColumns * form.OutputElementBytes);
        Cache = form.Finish == LinearFinish.RopeKvAppend ? new CacheOperands(memory, form.Heads, form.Storage, spans) : null;
    }

    /// <summary>Of a linear that appends to it.</summary>
    public CacheOperands? Cache { get; }

    public DevicePointer Input(DevicePointer start) => start + input;

    public DevicePointer Weight(DevicePointer start) => start + weight;

    public DevicePointer WeightScale(DevicePointer start) => At(start, weightScale);

    public DevicePointer Bias(DevicePointer start) => At(start, bias);

    public DevicePointer Residual(DevicePointer start) => At(start, residual);

    public DevicePointer Output(DevicePointer start) => start + output;

    private static DevicePointer At(DevicePointer start, long? offsetBytes) => offsetBytes is { } offset ? start + offset : default;
}
