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
                steps[step] = CudaSteps.Bind(Graph.Operations[step], binder);
            state.Kernels.Prepare(steps.Select(step => step.Definition), state.CompileProgress);
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

    public void Run(RowCounts counts, ReadOnlySpan<SequenceRows> sequences, CancellationToken cancellation)
    {
        RequireWithinCapacity(counts);
        cancellation.ThrowIfCancellationRequested();
        stagingRead.Synchronize();
        inputs.Sequences.Write(sequences);
        int longestRows = 0;
        foreach (SequenceRows rows in sequences)
            longestRows = Math.Max(longestRows, rows.RowCount);
        lastCounts = default;
        var run = new CudaRun(state.Stream, state.Arena.Start, counts, sequences.Length, longestRows);
        if (isReplayed)
            Replay(run);
        else
            Launch(run, cancellation);
        lastCounts = counts;
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

    private void Launch(in CudaRun run, CancellationToken cancellation)
    {
        inputs.Upload(run.Stream, run.Counts);
        run.Stream.Record(stagingRead);
        foreach (CudaStep step in steps)
        {
            cancellation.ThrowIfCancellationRequested();
            step.Launch(run);
        }
    }

    private void Replay(in CudaRun run)
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
        run.Stream.Record(stagingRead);
    }

    private CudaGraphExecutable Capture(in CudaRun run)
    {
        using StreamCapture capture = run.Stream.BeginCapture();
        inputs.Upload(run.Stream, run.Counts);
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
