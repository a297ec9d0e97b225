using System.Runtime.ExceptionServices;

namespace XComposer2.Native.Cuda;

/// <summary>
/// Compiled kernels by what they were made from: compiler, target, options, source and all that it includes. Safe to use from several threads,
/// and for several processes at once. Where nothing can be kept it compiles each time, and says so once.
/// </summary>
public sealed class CubinCache
{
    private readonly IKernelSource source;
    private readonly Lazy<Nvrtc> compiler;
    private readonly Action<string> notice;
    private readonly CubinFolder? folder;
    private readonly CubinFolder[] shipped;
    private readonly bool isForOthers;
    private int toldThatNothingIsKept;

    /// <param name="source">The kernels.</param>
    /// <param name="compiler">Loads NVRTC; called at most once, for the first kernel that no shipped folder has.</param>
    /// <param name="options">Where.</param>
    public CubinCache(IKernelSource source, Func<Nvrtc> compiler, CubinCacheOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(compiler);
        options ??= new CubinCacheOptions();
        this.source = source;
        this.compiler = new Lazy<Nvrtc>(compiler);
        notice = options.Notice ?? (_ => { });
        string? chosen = CubinFolders.Choose(options.Folder, Environment.GetEnvironmentVariable);
        isForOthers = options.FillsForOthers;
        folder = chosen is null ? null : new CubinFolder(chosen, notice) { IsPrivate = !isForOthers };
        shipped = [.. (options.ShippedFolders ?? CubinFolders.Shipped(Environment.GetEnvironmentVariable, AppContext.BaseDirectory)).Select(path => new CubinFolder(path, notice))];
        folder?.RemoveAbandoned();
    }

    /// <summary>Where compiled kernels are kept; null where the system has no place for them.</summary>
    public string? Folder => folder?.Path;

    /// <summary>What to compile for a GPU: its own machine code, or where the compiler does not know it, PTX of an older generation. Loads NVRTC.</summary>
    /// <exception cref="CudaUnavailableException">NVRTC is missing or knows neither.</exception>
    public CudaTarget TargetFor(ComputeCapability device) => CudaTarget.For(device, compiler.Value);

    /// <summary>Whether a folder of others has an entry, by its name: nothing is read. Loads no compiler.</summary>
    public bool IsShipped(CubinRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return shipped.Any(place => place.Exists) && KeyOf(request) is var key && shipped.Any(place => place.Has(key));
    }

    /// <summary>
    /// Fails now where nothing for a GPU is there and it could not be compiled either, so that whoever has another device takes it. Where some is
    /// there, NVRTC is not looked for before it is needed.
    /// </summary>
    /// <exception cref="CudaUnavailableException">NVRTC is missing.</exception>
    public void RequireCodeFor(ComputeCapability device)
    {
        CudaTarget own = CudaTarget.Own(device);
        if (!shipped.Any(place => place.HasAnyFor(own)) && folder?.HasAnyFor(own) is not true)
            _ = compiler.Value;
    }

    /// <summary>The code of a kernel, compiled if need be.</summary>
    /// <exception cref="KernelSourceException">A file is missing or includes what it must not.</exception>
    /// <exception cref="NvrtcException">It does not compile.</exception>
    /// <exception cref="CudaUnavailableException">It has to be compiled, and NVRTC is missing or does not know the target.</exception>
    public Cubin Get(CubinRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        KernelProgram program = KernelProgram.Read(source, request.Source);
        CubinKey key = new(program, request.Target, request.Options);
        string name = $"{request.Source} for {request.Target}";
        foreach (CubinFolder place in shipped)
            if (place.FindAny(key) is { } found) return new Cubin(name, found.Image, found.Log, CubinOrigin.Shipped);
        try
        {
            if (FindKept(key) is { } kept) return new Cubin(name, kept.Image, kept.Log, CubinOrigin.Cached);
            CompiledKernel compiled = compiler.Value.Compile(program, request.Target, request.Options);
            Keep(key, compiled);
            return new Cubin(name, compiled.Image, compiled.Log, CubinOrigin.Compiled);
        }
        catch (CudaUnavailableException missing)
        {
            string[] places = [.. shipped.Where(place => place.Exists).Append(folder).OfType<CubinFolder>().Select(place => place.Path)];
            throw new CudaUnavailableException(
                missing.Reason, $"{name} has to be compiled (no compiled one is in {string.Join(" or ", places)}), and {missing.Message}", missing);
        }
    }

    /// <summary>The code of many kernels, compiled on several threads where need be.</summary>
    /// <param name="requests">Which.</param>
    /// <param name="progress">Told of each that is there, in the order they come.</param>
    /// <param name="threads">At most so many compile at once; null for one per processor.</param>
    /// <param name="cancellation">Takes effect between two kernels.</param>
    /// <returns>In the requests' order.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; what was compiled is kept.</exception>
    public Cubin[] GetAll(
        IReadOnlyList<CubinRequest> requests, IProgress<CompileProgress>? progress = null, int? threads = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(requests);
        Cubin[] cubins = new Cubin[requests.Count];
        ExceptionDispatchInfo?[] failures = new ExceptionDispatchInfo?[requests.Count];
        Lock reporting = new();
        int done = 0;
        ParallelOptions parallel = new() { MaxDegreeOfParallelism = threads ?? Environment.ProcessorCount, CancellationToken = cancellation };
        Parallel.For(0, requests.Count, parallel, (index, loop) =>
        {
            try
            {
                Cubin cubin = cubins[index] = Get(requests[index]);
                lock (reporting) progress?.Report(new CompileProgress(++done, requests.Count, cubin));
            }
            catch (Exception failure)
            {
                failures[index] = ExceptionDispatchInfo.Capture(failure);
                loop.Stop();
            }
        });
        failures.FirstOrDefault(failure => failure is not null)?.Throw();
        return cubins;
    }

    private CubinKey KeyOf(CubinRequest request) => new(KernelProgram.Read(source, request.Source), request.Target, request.Options);

    private CompiledKernel? FindKept(CubinKey key)
    {
        if (folder is null) return null;
        try
        {
            return folder.Find(key, compiler.Value.Identity);
        }
        catch (CudaUnavailableException)
        {
            // Without a compiler the version that it would have does not matter: take what an earlier one left, or say that it is missing.
            if (folder.FindAny(key) is { } earlier) return earlier;
            throw;
        }
    }

    private void Keep(CubinKey key, CompiledKernel kernel)
    {
        string? why = folder is null ? "this system names no folder for caches" : TryKeep(folder, key, kernel);
        if (why is not null && isForOthers)
            throw new IOException($"{folder?.Path}: compiled kernels cannot be written: {why}");
        if (why is not null && Interlocked.Exchange(ref toldThatNothingIsKept, 1) == 0)
            notice($"compiled kernels are not kept, so that every start compiles them again: {why}. Name a folder that can be written with XC2_CACHE");
    }

    /// <summary>Null, or why it was not possible.</summary>
    private string? TryKeep(CubinFolder place, CubinKey key, CompiledKernel kernel)
    {
        try
        {
            place.Add(key, compiler.Value.Identity, kernel);
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return failure.Message;
        }
    }
}

/// <summary>Where compiled kernels are looked for and kept.</summary>
public sealed record CubinCacheOptions
{
    /// <summary>Folder to read and write; null for <c>XC2_CACHE</c> or the platform's.</summary>
    public string? Folder { get; init; }

    /// <summary>
    /// The folder is filled for other machines or users: it has default permissions instead of being private, and a kernel that cannot be written
    /// to it is an error (<see cref="IOException"/>).
    /// </summary>
    public bool FillsForOthers { get; init; }

    /// <summary>
    /// Folders to read first, filled by another cache: what is there for source, target and options is taken whatever NVRTC made it, so that none
    /// need be here. Null for the one that <c>XC2_KERNELS</c> names and the one beside the program.
    /// </summary>
    public IReadOnlyList<string>? ShippedFolders { get; init; }

    /// <summary>Told, in a sentence, what a user may want to know: that nothing can be kept, or that an entry was damaged. From any thread.</summary>
    public Action<string>? Notice { get; init; }
}

/// <summary>One more kernel is there.</summary>
/// <param name="Done">How many are, this one included.</param>
/// <param name="Total">Of how many.</param>
/// <param name="Latest">This one.</param>
public readonly record struct CompileProgress(int Done, int Total, Cubin Latest);
