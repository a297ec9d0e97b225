using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>Rows of pictures in the device's memory.</summary>
public sealed class RowMemoryTests(GpuDevice device)
{
    private const int Columns = 36;

    private Cuda.CudaOptions Options => new() { DriverLibrary = device.Context.Driver.Library };

    [Fact]
    public void What_a_graph_gives_is_copied_on_the_device()
    {
        using SamplerRun run = OnDevice();
        using IRowMemory memory = run.AllocateRows(6, Columns);
        float[] before = [.. Enumerable.Range(0, 6 * Columns).Select(index => -1f - index)];
        memory.Write(0, before);
        run.Run([Row(1), Row(2), Row(3)]);
        memory.CopyFrom(run.Graph, run.Logits, 2);
        if (device.Context.Device.Name.StartsWith("Emulated", StringComparison.Ordinal))
            Assert.False(run.IsIdle, "the copy was waited for");
        Assert.Equal([.. before[..(2 * Columns)], .. Row(3), .. Row(2), .. Row(1), .. before[(5 * Columns)..]], memory.Read(0, 6));
    }

    [Fact]
    public void Rows_that_do_not_fit_are_refused()
    {
        using SamplerRun run = OnDevice();
        using IRowMemory memory = run.AllocateRows(3, Columns), wider = run.AllocateRows(3, Columns + 4);
        run.Run([Row(1), Row(2)]);
        Assert.Throws<ArgumentOutOfRangeException>("row", () => memory.CopyFrom(run.Graph, run.Logits, 2));
        Assert.Throws<ArgumentException>("output", () => wider.CopyFrom(run.Graph, run.Logits, 0));
        Assert.Throws<ArgumentException>("values", () => memory.Write(0, new float[Columns + 1]));
        memory.CopyFrom(run.Graph, run.Logits, 1);
        Assert.Equal([.. Row(2), .. Row(1)], memory.Read(1, 2));
    }

    /// <summary>An id, a row number and no picture: a text's tokens take the host four bytes each and four bytes more.</summary>
    [Fact]
    public void A_prompt_uploads_no_rows_of_pictures()
    {
        ModelConfig config = ModelPresets.Find(ModelPresets.Names[0]).WithLayers(1);
        ComputeGraph graph = DecoderNetwork.BuildPrefill(config.Decoder, WeightFacts.Uniform(config, DType.F16), 128, 1);
        Assert.Equal((2 * 128 * sizeof(int)) + sizeof(int), CudaBackend.PlanFor(graph, DType.F16).Graph.InputBytes());
    }

    private static float[] Row(int first) => [.. Enumerable.Range(0, Columns).Select(column => first + (column / 64f))];

    private SamplerRun OnDevice() => new(new CudaBackend(new CudaBackendOptions { Device = Options, Storage = DType.F16 }), Columns, 4);
}
