using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>A plan bound to kernels: an array of steps, run in order.</summary>
internal sealed unsafe class CpuBoundGraph : IBoundGraph
{
    private readonly ExecutionPlan plan;
    private readonly CpuArena arena;
    private readonly WorkerPool pool;
    private readonly HostMemory inputMemory;
    private readonly HostMemory spanMemory;
    private readonly nint[] inputs;
    private readonly CpuStep[] steps;
    private RowCounts lastCounts;

    public CpuBoundGraph(ExecutionPlan plan, CpuSources sources, CpuArena arena, WorkerPool pool)
    {
        this.plan = plan;
        this.arena = arena;
        this.pool = pool;
        inputs = new nint[Graph.Tensors.Length];
        inputMemory = new HostMemory(InputBytes(Graph), $"the inputs of graph '{Graph.Name}'");
        spanMemory = new HostMemory((long)StepLimits.MaximumSequences * sizeof(SequenceSpan), "sequences");
        try
        {
            PlaceInputs();
            var binder = new CpuBinder(plan, sources, inputs);
            steps = new CpuStep[Graph.Operations.Length];
            for (int step = 0; step < steps.Length; step++)
                steps[step] = CpuSteps.Bind(Graph.Operations[step], binder, step);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ComputeGraph Graph => plan.Graph;

    public Span<float> Floats(Tensor input) => new((void*)inputs[input.Index], Elements(input, DType.F32));

    public Span<int> Integers(Tensor input) => new((void*)inputs[input.Index], Elements(input, DType.I32));

    public void Feed(Tensor input, int row, ITokenSampler sampler, int slot) =>
        Integers(input)[row] = sampler is CpuTokenSampler mine ? mine.LatestOf(slot) : throw new ArgumentException("the sampler is of another backend", nameof(sampler));

    public void Run(RowCounts counts, ReadOnlySpan<SequenceRows> sequences, CancellationToken cancellation)
    {
        RequireWithinCapacity(counts);
        var spans = (SequenceSpan*)spanMemory.Start;
        WriteSpans(sequences, spans);
        var run = new CpuRun(arena.Start, counts, spans, sequences.Length, pool);
        lastCounts = default;
        foreach (CpuStep step in steps)
        {
            cancellation.ThrowIfCancellationRequested();
            step.Run(run);
        }

        lastCounts = counts;
    }

    public Span<float> Output(Tensor output)
    {
        TensorSpec spec = Graph[output];
        if (spec.Role != TensorRole.Output)
            throw new ArgumentException($"graph '{Graph.Name}', tensor '{spec.Name}': expected an output, found a tensor of role {spec.Role}", nameof(output));
        return new Span<float>(arena.Start + plan.OffsetOf(output), checked(lastCounts.Resolve(spec.Rows) * spec.RowElements));
    }

    public void Dispose()
    {
        inputMemory.Dispose();
        spanMemory.Dispose();
    }

    private static long InputBytes(ComputeGraph graph)
    {
        long bytes = 0;
        foreach (TensorSpec spec in graph.Tensors)
            if (spec.Role == TensorRole.Input)
                bytes = checked(bytes + MemoryPlanner.Align(spec.CapacityBytes));
        return bytes;
    }

    private static void WriteSpans(ReadOnlySpan<SequenceRows> sequences, SequenceSpan* spans)
    {
        if (sequences.Length > StepLimits.MaximumSequences)
            throw new ArgumentException($"a step takes at most {StepLimits.MaximumSequences} sequences, found {sequences.Length}", nameof(sequences));
        for (int i = 0; i < sequences.Length; i++)
        {
            (KeyValueSequence sequence, int firstRow, int rowCount) = sequences[i];
            if (rowCount > sequence.ReservedLength - sequence.Length)
                throw new ArgumentException($"sequence {i}: room is reserved for {sequence.ReservedLength - sequence.Length} tokens, the step has {rowCount}", nameof(sequences));
            spans[i] = new SequenceSpan(firstRow, rowCount, sequence.Length, sequence.PageTable);
        }
    }

    private void PlaceInputs()
    {
        byte* next = inputMemory.Start;
        for (int i = 0; i < inputs.Length; i++)
        {
            TensorSpec spec = Graph.Tensors[i];
            if (spec.Role != TensorRole.Input)
                continue;
            inputs[i] = (nint)next;
            next += MemoryPlanner.Align(spec.CapacityBytes);
        }
    }

    private int Elements(Tensor input, DType type)
    {
        TensorSpec spec = Graph[input];
        if (spec.Role != TensorRole.Input || spec.Type != type)
            throw new ArgumentException($"graph '{Graph.Name}', tensor '{spec.Name}': expected an input of {type}, found {spec.Type} of role {spec.Role}", nameof(input));
        ObjectDisposedException.ThrowIf(inputMemory.Start is null, this);
        return checked((int)spec.Shape.ElementCount);
    }

    private void RequireWithinCapacity(RowCounts counts)
    {
        RowCounts most = Graph.Capacity;
        if (counts.Tokens < 0 || counts.Logits < 0 || counts.Images < 0 || counts.Tokens > most.Tokens || counts.Logits > most.Logits || counts.Images > most.Images)
            throw new ArgumentOutOfRangeException(nameof(counts), counts, $"graph '{Graph.Name}' holds {most}");
    }
}
