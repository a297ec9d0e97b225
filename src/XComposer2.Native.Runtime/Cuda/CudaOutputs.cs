using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>Brings outputs of one bound graph to the host, as F32 whatever they are stored as.</summary>
internal sealed unsafe class CudaOutputs(CudaContext context, ExecutionPlan plan) : IDisposable
{
    private readonly Dictionary<Tensor, float[]> values = [];
    private PinnedMemory? buffer;

    /// <summary>Waits for the run, and copies.</summary>
    public Span<float> Read(Tensor output, RowCounts counts, DevicePointer arena, CudaStream stream)
    {
        TensorSpec spec = plan.Graph[output];
        if (spec.Role != TensorRole.Output)
            throw new ArgumentException($"graph '{plan.Graph.Name}', tensor '{spec.Name}': expected an output, found a tensor of role {spec.Role}", nameof(output));
        int elements = checked(counts.Resolve(spec.Rows) * spec.RowElements);
        if (!values.TryGetValue(output, out float[]? found) || found.Length < elements)
            values[output] = found = new float[elements];
        if (elements == 0)
            return [];
        long bytes = (long)elements * spec.Type.ElementBytes();
        PinnedSpan staging = Staging(bytes);
        stream.CopyToHost(staging, new DeviceSpan(arena + plan.OffsetOf(output), bytes));
        stream.Synchronize();
        fixed (float* target = found)
            HostRowConversion.Copy(new HostRow(new HostTensor(staging.Address, spec.Type, new Shape(1, elements)), 0), elements, DType.F32, (byte*)target);
        return found.AsSpan(0, elements);
    }

    public void Dispose() => buffer?.Dispose();

    private PinnedSpan Staging(long bytes)
    {
        if (buffer is null || buffer.LengthBytes < bytes)
        {
            buffer?.Dispose();
            buffer = null;
            buffer = PinnedMemory.Allocate(context, bytes);
        }

        return buffer.Span.Slice(0, bytes);
    }
}
