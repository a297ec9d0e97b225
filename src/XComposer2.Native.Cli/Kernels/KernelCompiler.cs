using System.CommandLine;
using Spectre.Console;
using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Cli;

/// <summary>Compiles many kernels, with a bar where there is a terminal. No GPU is needed.</summary>
internal sealed class KernelCompiler(CliConsole console)
{
    /// <param name="requests">Which.</param>
    /// <param name="folder">Cache folder to fill; null for the user's own.</param>
    /// <param name="threads">At most so many at once; null for one per processor.</param>
    /// <param name="cancellationToken">Takes effect between two kernels.</param>
    /// <returns>In the requests' order.</returns>
    public async Task<Cubin[]> CompileAsync(IReadOnlyList<CubinRequest> requests, string? folder, int? threads, CancellationToken cancellationToken)
    {
        CubinCache cache = new(KernelLoader.Source, () => Nvrtc.Load(), new CubinCacheOptions { Folder = folder, FillsForOthers = folder is not null, ShippedFolders = [], Notice = console.Hint });
        if (!console.ErrorIsTerminal || !console.Decorates)
            return await Task.Run(() => cache.GetAll(requests, null, threads, cancellationToken), CancellationToken.None).ConfigureAwait(false);
        return await console.RichError.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                ProgressTask task = context.AddTask("compiling kernels", maxValue: Math.Max(1, requests.Count));
                return Task.Run(() => cache.GetAll(requests, new TaskProgress(task), threads, cancellationToken), CancellationToken.None);
            }).ConfigureAwait(false);
    }

    // Progress<T> would post to the thread pool, and could report after the bar is gone.
    private sealed class TaskProgress(ProgressTask task) : IProgress<CompileProgress>
    {
        public void Report(CompileProgress value)
        {
            task.Description = value.Latest.Name;
            task.Value = value.Done;
        }
    }
}

/// <summary>Generations of GPUs, as <c>--arch</c> lists them.</summary>
internal static class KernelTargets
{
    private static readonly string[] names = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90a"];

    /// <summary>Every generation that kernels are tested for.</summary>
    public static IReadOnlyList<CudaTarget> All { get; } = [.. names.Select(CudaTarget.Parse)];

    public static Option<CudaTarget[]?> Option() => new("--arch")
    {
        CustomParser = argument =>
        {
            List<CudaTarget> targets = [];
            foreach (string name in argument.Tokens[0].Value.Split(','))
                if (TryParse(name) is { } target)
                    targets.Add(target);
                else
                    argument.AddError($"--arch must be generations like sm_86, sm_90a, with commas between them, 75 or newer, not '{name}'");
            return [.. targets.Distinct()];
        },
        Arity = ArgumentArity.ExactlyOne,
    };

    public static ComputeCapability CapabilityOf(CudaTarget target) => new(target.Architecture / 10, target.Architecture % 10);

    private static CudaTarget? TryParse(string name)
    {
        try
        {
            CudaTarget target = CudaTarget.Parse(name);
            return target.Architecture >= CudaDriver.MinimumCapability.Number ? target : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
