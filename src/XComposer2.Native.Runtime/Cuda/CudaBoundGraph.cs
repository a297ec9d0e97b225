using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Runtime;

/// <summary>A lowered plan bound to kernels. Steps of generated tokens are captured once for each number of rows and replayed as one unit.</summary>
internal sealed class CudaBoundGraph : IBoundGraph
{
    private readonly ExecutionPlan plan;
    private readonly CudaDeviceState state;
    private readonly CudaInputs inputs;
    private readonly CudaStep[] steps;
    private readonly CudaOutputs outputs;
    private readonly CudaSharedScratch shared;
    private readonly CudaEvent stagingRead;
    private readonly Dictionary<RowCounts, CudaGraphExecutable> captured = [];
    private readonly List<(DeviceSpan Input, DeviceSpan Id)> fed = [];
    private readonly bool isReplayed;
    private int capturedArena;
    private RowCounts lastCounts;

    public CudaBoundGraph(ExecutionPlan plan, CudaDeviceState state, CudaWeights weights, CudaKeyValueMemory? pages)
    {
        this.plan = plan;
        this.state = state;
        isReplayed = CudaLowering.IsDecode(plan.Graph);
        inputs = new CudaInputs(state.Context, Graph, pages?.PageCount ?? 0);
        outputs = new CudaOutputs(state.Context, plan);
        stagingRead = CudaEvent.Create(state.Context);
        shared = new CudaSharedScratch(state.Context, state.Stream);
        try
        {
            var binder = new CudaBinder(plan, weights, pages, state.RopeTables, inputs, shared, state.Context.Device, state.Storage, state.EmbeddingsOnHost);
            steps = new CudaStep[Graph.Operations.Length];
            for (int step = 0; step < steps.Length; step++)
                steps[step] = new CudaStep(Graph.Operations[step], Graph, binder);
            state.Kernels.Prepare(steps.SelectMany(step => step.Definitions), state.CompileProgress);
            foreach (CudaStep step in steps)
                step.Attach(state.Kernels);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ComputeGraph Graph => plan.Graph;

    public Span<float> Floats(Tensor input)
    {
        stagingRead.Synchronize();
        return inputs.Staging<float>(input, DType.F32);
    }

    public Span<int> Integers(Tensor input)
    {
        stagingRead.Synchronize();
        return inputs.Staging<int>(input, DType.I32);
    }

    public void Feed(Tensor input, int row, ITokenSampler sampler)
    {
        TensorSpec spec = Graph[input];
        if (spec.Role != TensorRole.Input || spec.Type != DType.I32)
            throw new ArgumentException($"graph '{Graph.Name}', tensor '{spec.Name}': expected an input of {DType.I32}, found {spec.Type} of role {spec.Role}", nameof(input));
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, spec.Shape[0]);
        if (sampler is not CudaTokenSampler mine)
            throw new ArgumentException("the sampler is of another backend", nameof(sampler));
        fed.Add((new DeviceSpan(inputs.AddressOf(input) + (row * (long)sizeof(int)), sizeof(int)), mine.Latest));
    }

    public void Run(RowCounts counts, ReadOnlySpan<SequenceRows> sequences, CancellationToken cancellation)
    {
        try
        {
            RequireWithinCapacity(counts);
            cancellation.ThrowIfCancellationRequested();
            Queue(counts, sequences, cancellation);
        }
        finally
        {
            // Also where nothing ran: a sampler may be gone before the next run.
            fed.Clear();
        }
    }

    public Span<float> Output(Tensor output) => outputs.Read(output, lastCounts, state.Arena.Start, state.Stream);

    /// <summary>Where an output of the last run lies.</summary>
    public DevicePointer AddressOf(Tensor output) => state.Arena.Start + plan.OffsetOf(output);

    public void Dispose()
    {
        foreach (CudaGraphExecutable executable in captured.Values)
            executable.Dispose();
        captured.Clear();
        outputs.Dispose();
        shared.Dispose();
        stagingRead.Dispose();
        inputs.Dispose();
    }

    private void Queue(RowCounts counts, ReadOnlySpan<SequenceRows> sequences, CancellationToken cancellation)
    {
        stagingRead.Synchronize();
        inputs.Sequences.Write(sequences);
        lastCounts = default;
        var run = new KernelRun(state.Stream, state.Arena.Start, counts, sequences.Length);
        Upload(run);
        if (isReplayed)
            Replay(run);
        else
            Launch(run, cancellation);
        lastCounts = counts;
    }

    // Outside of what is replayed: the host writes the next step's inputs as soon as these copies are done, while the step runs.
    private void Upload(in KernelRun run)
    {
        inputs.Upload(run.Stream, run.Counts);
        run.Stream.Record(stagingRead);
        foreach ((DeviceSpan input, DeviceSpan id) in fed)
            run.Stream.Copy(input, id);
    }

    private void Launch(in KernelRun run, CancellationToken cancellation)
    {
        foreach (CudaStep step in steps)
        {
            cancellation.ThrowIfCancellationRequested();
            step.Launch(run);
        }
    }

    private void Replay(in KernelRun run)
    {
        if (capturedArena != state.Arena.Version)
        {
            foreach (CudaGraphExecutable stale in captured.Values)
                stale.Dispose();
            captured.Clear();
            capturedArena = state.Arena.Version;
        }

        if (!captured.TryGetValue(run.Counts, out CudaGraphExecutable? executable))
            captured.Add(run.Counts, executable = Capture(run));
        executable.Launch(run.Stream);
    }

    private CudaGraphExecutable Capture(in KernelRun run)
    {
        using StreamCapture capture = run.Stream.BeginCapture();
        foreach (CudaStep step in steps)
            step.Launch(run);
        using CudaGraph graph = capture.End();
        return graph.Instantiate();
    }

    private void RequireWithinCapacity(RowCounts counts)
    {
        RowCounts most = Graph.Capacity;
        if (counts.Tokens < 0 || counts.Logits < 0 || counts.Images < 0 || counts.Tokens > most.Tokens || counts.Logits > most.Logits || counts.Images > most.Images)
            throw new ArgumentOutOfRangeException(nameof(counts), counts, $"graph '{Graph.Name}' holds {most}");
    }
}
