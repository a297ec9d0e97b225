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
    private readonly CudaParameters? parameters;
    private readonly List<(DeviceSpan Input, DeviceSpan Id)> fed = [];
    private readonly bool isReplayed;
    private int capturedArena;
    private RowCounts lastCounts;

    public CudaBoundGraph(ExecutionPlan plan, CudaDeviceState state, CudaWeights weights, CudaKeyValueMemory? pages, CudaRowMemory? rows, StepLimits? limits, CudaParameters? parameters = null)
    {
        this.plan = plan;
        this.state = state;
        this.parameters = parameters;
        isReplayed = Graph.HasOneRowPerSequence;
        // A graph that is trained has no cache; positions are those of its rows.
        StepLimits most = parameters is null ? LimitsOf(limits, pages?.PageCount ?? 0) : new StepLimits(1, 0, Graph.Capacity.Tokens);
        inputs = new CudaInputs(state.Context, Graph, most);
        outputs = new CudaOutputs(state.Context, plan);
        stagingRead = CudaEvent.Create(state.Context);
        shared = new CudaSharedScratch(state.Context, state.Stream);
        try
        {
            var binder = new CudaBinder(plan, weights, pages, rows, most, state.RopeTables, inputs, shared, state.Context, state.Storage, state.EmbeddingsOnHost, parameters);
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

    public void Feed(Tensor input, int row, ITokenSampler sampler, int slot)
    {
        TensorSpec spec = Graph[input];
        if (spec.Role != TensorRole.Input || spec.Type != DType.I32)
            throw new ArgumentException($"graph '{Graph.Name}', tensor '{spec.Name}': expected an input of {DType.I32}, found {spec.Type} of role {spec.Role}", nameof(input));
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, spec.Shape[0]);
        if (sampler is not CudaTokenSampler mine)
            throw new ArgumentException("the sampler is of another backend", nameof(sampler));
        DeviceSpan place = new(inputs.AddressOf(input) + (row * (long)sizeof(int)), sizeof(int)), id = mine.LatestOf(slot);
        // Rows and slots that follow each other are one copy.
        if (fed.Count > 0 && IsNext(fed[^1].Input, place) && IsNext(fed[^1].Id, id))
            fed[^1] = (Extended(fed[^1].Input), Extended(fed[^1].Id));
        else
            fed.Add((place, id));

        static bool IsNext(DeviceSpan before, DeviceSpan after) => before.Pointer + before.LengthBytes == after.Pointer;

        static DeviceSpan Extended(DeviceSpan span) => span with { LengthBytes = span.LengthBytes + sizeof(int) };
    }

    public void Run(RowCounts counts, ReadOnlySpan<SequenceRows> sequences, CancellationToken cancellation)
    {
        try
        {
            RequireWithinCapacity(counts);
            cancellation.ThrowIfCancellationRequested();
            parameters?.Upload();
            Queue(counts, sequences, cancellation);
        }
        finally
        {
            // Also where nothing ran: a sampler may be gone before the next run.
            fed.Clear();
        }
    }

    public Span<float> Output(Tensor output) => outputs.Read(output, lastCounts, state.Arena.Start, state.Stream);

    /// <summary>Where an output of the last run lies, as many rows as that run has.</summary>
    public DeviceSpan SpanOf(Tensor output)
    {
        TensorSpec spec = Graph[output];
        if (spec.Role != TensorRole.Output)
            throw new ArgumentException($"graph '{Graph.Name}', tensor '{spec.Name}': expected an output, found a tensor of role {spec.Role}", nameof(output));
        return new DeviceSpan(state.Arena.Start + plan.OffsetOf(output), (long)lastCounts.Resolve(spec.Rows) * spec.RowElements * spec.Type.ElementBytes());
    }

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

    // A step's sequences, and the pages of each: no more than the graph has rows and the cache has pages.
    private StepLimits LimitsOf(StepLimits? given, int cachePages)
    {
        int rows = Math.Clamp(Graph.Capacity.Tokens, 1, StepLimits.MaximumSequences);
        StepLimits limits = given ?? new StepLimits(rows, cachePages, int.MaxValue);
        return new StepLimits(
            Math.Min(limits.Sequences, rows),
            Math.Min(limits.PagesPerSequence, cachePages),
            Math.Min(limits.Positions, checked(cachePages * KeyValuePages.TokensPerPage)));
    }

    private void Queue(RowCounts counts, ReadOnlySpan<SequenceRows> sequences, CancellationToken cancellation)
    {
        if (Graph.HasOneRowPerSequence)
            RequireOneRowEach(counts, sequences);
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

    // What is replayed has the number of sequences in it.
    private void RequireOneRowEach(RowCounts counts, ReadOnlySpan<SequenceRows> sequences)
    {
        if (sequences.Length != counts.Tokens)
            throw new ArgumentException($"graph '{Graph.Name}': expected a sequence for each of {counts.Tokens} rows, found {sequences.Length}", nameof(sequences));
        for (int row = 0; row < sequences.Length; row++)
            if (sequences[row].FirstRow != row || sequences[row].RowCount != 1)
                throw new ArgumentException($"graph '{Graph.Name}', sequence {row}: expected row {row} alone, found {sequences[row].RowCount} rows from {sequences[row].FirstRow} on", nameof(sequences));
    }

    private void RequireWithinCapacity(RowCounts counts)
    {
        RowCounts most = Graph.Capacity;
        if (counts.Tokens < 0 || counts.Logits < 0 || counts.Images < 0 || counts.Tokens > most.Tokens || counts.Logits > most.Logits || counts.Images > most.Images)
            throw new ArgumentOutOfRangeException(nameof(counts), counts, $"graph '{Graph.Name}' holds {most}");
    }
}
