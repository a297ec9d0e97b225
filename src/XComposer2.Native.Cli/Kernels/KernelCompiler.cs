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
        CubinCache cache = new(KernelLoader.Source, () => Nvrtc.Load(), new CubinCacheOptions { Folder = folder, ShippedFolders = [], Notice = console.Hint });
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
