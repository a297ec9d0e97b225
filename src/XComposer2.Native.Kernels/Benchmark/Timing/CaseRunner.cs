using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Runs cases one after the other in the same memory, which is as large as the largest needs. Owns that memory.</summary>
internal sealed class CaseRunner : IDisposable
{
    private readonly CudaStream stream;
    private readonly KernelLoader kernels;
    private readonly DeviceMemory memory;
    private readonly OperandFiller filler;

    public CaseRunner(CudaContext context, CudaStream stream, KernelLoader kernels, long memoryBytes)
    {
        this.stream = stream;
        this.kernels = kernels;
        memory = DeviceMemory.Allocate(context, memoryBytes);
        filler = new OperandFiller(context, stream);
    }

    /// <summary>Fills the operands anew and times the launch.</summary>
    /// <exception cref="KernelBenchException">The launch failed; the message names the case.</exception>
    public KernelTiming Time(KernelCase item, KernelTimer timer)
    {
        try
        {
            foreach (Operand operand in item.Operands)
                filler.Fill(memory.Span, operand);
            CudaKernel kernel = kernels.Get(item.Definition);
            return new KernelTiming(item, timer.Time(() => item.Launch(kernel, stream, memory.Span.Pointer)));
        }
        catch (CudaException failure)
        {
            throw new KernelBenchException($"'{item.Name}': {failure.Message}", failure);
        }
    }

    public void Dispose()
    {
        filler.Dispose();
        memory.Dispose();
    }
}
