using BenchmarkDotNet.Attributes;
using XComposer2.Native.Cpu;
using XComposer2.Native.Graph;

namespace XComposer2.Native.HostBench;

/// <summary>Norms over the rows of a prefill and of a picture.</summary>
[InProcess]
[WarmupCount(3)]
[IterationCount(10)]
[MemoryDiagnoser]
public unsafe class NormBenchmarks : IDisposable
{
    private readonly WorkerPool pool = new(Environment.ProcessorCount);

    private readonly NativeBuffer input = NativeBuffer.Random(1226L * 4096 * sizeof(float), sixteenBit: false);

    private readonly NativeBuffer output = new(1226L * 4096 * sizeof(float));

    private readonly NativeBuffer gain = NativeBuffer.Random(4096 * sizeof(float), sixteenBit: false);

    [Params(1, 512)]
    public int Rows { get; set; }

    [Benchmark]
    public void RootMeanSquare() => RmsNormKernel.Run(
        input.Floats, new FloatMatrix(gain.Data, DType.F32, 1, 4096), 1e-5f, output.Floats, Rows, 4096, pool);

    [Benchmark]
    public void Layer()
    {
        var vector = new FloatMatrix(gain.Data, DType.F32, 1, 1024);
        LayerNormKernel.Run(input.Floats, vector, vector, 1e-5f, output.Floats, Rows, 1024, pool);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        pool.Dispose();
        input.Dispose();
        output.Dispose();
        gain.Dispose();
        GC.SuppressFinalize(this);
    }
}
