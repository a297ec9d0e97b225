using System.Diagnostics;
using System.Globalization;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Times launches on a device and holds them against what that device can do. Owns its context, its memory and the kernels that it compiled.
/// Not thread-safe.</summary>
public sealed class KernelBenchmark : IDisposable
{
    private const int ProbeRepetitions = 10;

    private const int ProbeNodes = 128;

    private static readonly TimeSpan warmUp = TimeSpan.FromSeconds(1);

    /// <summary>Patterns, marks, code, and what the driver keeps for itself.</summary>
    private const long SpareBytes = 64L << 20;

    private readonly CudaContext context;
    private readonly CudaStream stream;
    private readonly KernelLoader kernels;
    private readonly Lazy<Nvrtc> compiler;

    private KernelBenchmark(CudaContext context, Lazy<Nvrtc> compiler, CubinCache cache)
    {
        this.context = context;
        this.compiler = compiler;
        stream = CudaStream.Create(context);
        kernels = new KernelLoader(context, cache);
    }

    /// <summary>The device.</summary>
    public CudaDevice Device => context.Device;

    private string CompilerInWords => compiler.IsValueCreated ? compiler.Value.Version.ToString() : "none, kernels compiled elsewhere";

    /// <param name="options">Which driver, compiler and device.</param>
    /// <param name="cache">Where compiled kernels are kept.</param>
    /// <exception cref="CudaUnavailableException">There is no device, driver or compiler: the message says what is missing and what to do.</exception>
    public static KernelBenchmark Open(CudaOptions? options = null, CubinCacheOptions? cache = null)
    {
        options ??= new CudaOptions();
        CudaAvailability found = CudaAvailability.TryOpen(options, out CudaContext? context);
        if (context is null)
            throw new CudaUnavailableException(found.Reason!.Value, found.Message);
        try
        {
            CudaContext opened = context;
            var compiler = new Lazy<Nvrtc>(() => Nvrtc.Load(options.CompilerLibrary, opened.Driver.Version));
            var cubins = new CubinCache(KernelLoader.Source, () => compiler.Value, cache);
            cubins.RequireCodeFor(context.Device.Capability);
            return new KernelBenchmark(context, compiler, cubins);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>Measures the device's limits, then each case.</summary>
    /// <param name="cases">Of <see cref="CaseCatalog"/>, for this device and the plan's counts.</param>
    /// <param name="plan">How.</param>
    /// <param name="progress">Told the name of what is measured next.</param>
    /// <param name="cancellation">Takes effect between two cases.</param>
    /// <exception cref="InsufficientMemoryException">The device has less free memory than the largest case needs.</exception>
    /// <exception cref="KernelBenchException">A launch failed; the message names the case.</exception>
    public KernelBenchReport Measure(
        IReadOnlyList<KernelCase> cases, KernelBenchPlan plan, IProgress<string>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(cases);
        ArgumentNullException.ThrowIfNull(plan);
        DeviceFacts shape = DeviceFacts.Of(Device);
        KernelCase reading = ProbeCases.Of(new ReadStream(), shape, plan.Counts), multiplying = ProbeCases.Of(new MmaRate(plan.Storage), shape, plan.Counts);
        KernelCase[] all = [reading, multiplying, .. cases];
        L2Plan cache = plan.IsQuick ? L2Plan.Quick(plan.L2) : L2Plan.Full(plan.L2, Device.L2Bytes);
        KernelCase largest = all.MaxBy(item => item.MemoryBytes)!;
        RequireMemory(largest, cache.TotalBytes(shape));
        progress?.Report("compiling kernels");
        kernels.Prepare(all.Select(item => item.Definition), null, cancellation);

        using CaseRunner runner = new(context, stream, kernels, largest.MemoryBytes);
        using L2Setter setter = new(context, stream, kernels, shape, cache);
        using KernelTimer probes = new(context, stream, setter, plan.IsQuick ? 1 : ProbeRepetitions), timer = new(context, stream, setter, plan.Repetitions);
        using NodeProbe nodes = new(context, stream, kernels, plan.IsQuick ? 2 : ProbeNodes);
        DeviceCeilings Probe() => new(
            reading.Cost.Bytes / Seconds(runner.Time(reading, probes)), multiplying.Cost.Flops / Seconds(runner.Time(multiplying, probes)),
            probes.Time(() => { }).Min(), nodes.Time(probes));

        // A card that was idle raises its clocks only when it has worked for a while.
        for (long start = Stopwatch.GetTimestamp(); !plan.IsQuick && Stopwatch.GetElapsedTime(start) < warmUp;)
            runner.Time(multiplying, probes);
        DeviceCeilings before = Probe();
        var timings = new KernelTiming[cases.Count];
        for (int i = 0; i < timings.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(cases[i].Name);
            timings[i] = runner.Time(cases[i], timer);
        }

        return new KernelBenchReport(
            Device.ToString(), context.Driver.Version.ToString(), CompilerInWords, plan, DeviceCeilings.Best(before, Probe()), timings);
    }

    public void Dispose()
    {
        kernels.Dispose();
        stream.Dispose();
        context.Dispose();
    }

    private static double Seconds(KernelTiming timing) => timing.LeastMicroseconds / 1e6;

    private void RequireMemory(KernelCase largest, long cacheBytes)
    {
        long neededBytes = largest.MemoryBytes + cacheBytes + SpareBytes, freeBytes = context.ReadMemory().FreeBytes;
        if (neededBytes > freeBytes)
            throw new InsufficientMemoryException(string.Create(
                CultureInfo.InvariantCulture,
                $"'{largest.Name}' needs {neededBytes >> 20} MiB of device memory, {Device} has {freeBytes >> 20} MiB free; close what else uses it"));
    }
}
