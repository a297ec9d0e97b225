using XComposer2.Native.Graph;
using XComposer2.Native.Runtime;

namespace XComposer2.Native.GpuTests;

/// <summary>A backend with a graph whose output is what the test gives it, and a sampler. Owns both; every slot begins as a greedy answer.</summary>
internal sealed class SamplerRun : IDisposable
{
    private readonly IBackend backend;
    private readonly IBoundGraph graph;
    private readonly Tensor values;
    private readonly Tensor rows;

    public SamplerRun(IBackend backend, int vocabulary, int slots)
    {
        this.backend = backend;
        // More rows than slots: their numbers are ids, too.
        GraphBuilder builder = new("copy", new RowCounts(64, slots, 0));
        values = builder.Input("values", DType.F32, RowExtent.Tokens, vocabulary);
        rows = builder.Input("rows", DType.I32, RowExtent.Logits);
        builder.MarkOutput(builder.SelectRows(values, rows, "logits"));
        graph = backend.Bind(backend.Plan(builder.Build()), new NoWeights());
        Logits = graph.Graph.Find("logits");
        Sampler = backend.CreateSampler(vocabulary, slots);
        for (int slot = 0; slot < slots; slot++)
            Sampler.Begin(slot, new SamplingRequest { Parameters = new SamplingParameters(true, 1, 0, 1, 1) });
    }

    public static SamplerRun OnDevice(GpuDevice device, int vocabulary, int slots) =>
        new(new CudaBackend(new CudaBackendOptions { Device = new Cuda.CudaOptions { DriverLibrary = device.Context.Driver.Library }, Storage = DType.F16 }), vocabulary, slots);

    public static SamplerRun OnProcessor(int vocabulary, int slots) => new(new CpuBackend(1), vocabulary, slots);

    public ITokenSampler Sampler { get; }

    public IBoundGraph Graph => graph;

    public Tensor Logits { get; }

    /// <summary>Nothing is queued on the device any more.</summary>
    public bool IsIdle => ((CudaBackend)backend).IsIdle;

    public IRowMemory AllocateRows(int count, int columns) => backend.AllocateRows(count, columns);

    /// <summary>Queues a choice of a row for each slot; rows are in the opposite order.</summary>
    public void Queue(float[][] logits, int[] slots)
    {
        Run(logits);
        Sampler.Choose(graph, Logits, [.. slots.Select((slot, index) => new SampleRow(slots.Length - 1 - index, slot))]);
    }

    /// <summary>The same, and what was chosen.</summary>
    public TokenChoice[] Choose(float[][] logits, int[] slots)
    {
        Queue(logits, slots);
        return [.. Sampler.Take()];
    }

    /// <summary>Makes the output: the given rows from the last to the first.</summary>
    public void Run(float[][] logits)
    {
        Span<float> given = graph.Floats(values);
        Span<int> order = graph.Integers(rows);
        for (int row = 0; row < logits.Length; row++)
        {
            logits[row].CopyTo(given[(row * logits[row].Length)..]);
            order[row] = logits.Length - 1 - row;
        }

        graph.Run(new RowCounts(logits.Length, logits.Length, 0), [], CancellationToken.None);
    }

    /// <summary>Runs once more over rows whose first elements are their numbers, in the order of the ids that were chosen last in these slots.</summary>
    public int[] Feed(int[] slots)
    {
        Span<float> given = graph.Floats(values);
        int columns = given.Length / graph.Graph.Capacity.Tokens, most = graph.Graph.Capacity.Tokens;
        given.Clear();
        for (int row = 0; row < most; row++)
            given[row * columns] = row;
        for (int row = 0; row < slots.Length; row++)
            graph.Feed(rows, row, Sampler, slots[row]);
        graph.Run(new RowCounts(most, slots.Length, 0), [], CancellationToken.None);
        Span<float> output = graph.Output(Logits);
        int[] found = new int[slots.Length];
        for (int row = 0; row < found.Length; row++)
            found[row] = (int)output[row * columns];
        return found;
    }

    public void Dispose()
    {
        Sampler.Dispose();
        graph.Dispose();
        backend.Dispose();
    }

    private sealed class NoWeights : IWeightSource
    {
        public bool TryGet(string name, out HostTensor tensor)
        {
            tensor = default;
            return false;
        }

        public void Dispose()
        {
        }
    }
}
