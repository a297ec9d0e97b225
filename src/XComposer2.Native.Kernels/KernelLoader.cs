using XComposer2.Native.Cuda;

namespace XComposer2.Native.Kernels;

/// <summary>Kernels of one context, compiled (or found in the cache) and loaded when first asked for, each specialisation once. Not thread-safe.</summary>
public sealed class KernelLoader : IDisposable
{
    private readonly CudaContext context;
    private readonly CubinCache cache;
    private readonly CudaTarget own;
    private readonly Lazy<CudaTarget> compiled;
    private readonly Dictionary<KernelDefinition, CudaKernel> kernels = [];
    private readonly List<CudaLibrary> libraries = [];

    /// <param name="context">Not owned.</param>
    /// <param name="cache">Where compiled kernels come from.</param>
    public KernelLoader(CudaContext context, CubinCache cache)
    {
        ArgumentNullException.ThrowIfNull(context);
        this.context = context;
        this.cache = cache;
        own = CudaTarget.Own(context.Device.Capability);
        compiled = new Lazy<CudaTarget>(ChooseTarget);
    }

    /// <summary>The kernels of this program, which it carries with it.</summary>
    public static IKernelSource Source { get; } = new EmbeddedKernelSource(typeof(KernelLoader).Assembly);

    /// <summary>Kernels that are loaded.</summary>
    public int Count => kernels.Count;

    /// <summary>Compiles and loads what is not there yet, on several threads.</summary>
    /// <param name="definitions">Repeats are welcome.</param>
    /// <param name="progress">Told of each one that is compiled or found.</param>
    /// <param name="cancellation">Takes effect between two kernels.</param>
    /// <exception cref="NotSupportedException">One has no form for this device.</exception>
    public void Prepare(IEnumerable<KernelDefinition> definitions, IProgress<CompileProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(definitions);
        KernelDefinition[] missing = [.. definitions.Distinct().Where(definition => !kernels.ContainsKey(definition))];
        foreach (KernelDefinition definition in missing)
            if (!definition.Serves(context.Device.Capability))
                throw new NotSupportedException($"{definition.Entry} has no form for {context.Device}: {definition}");
        Cubin[] cubins = cache.GetAll([.. missing.Select(Request)], progress, cancellation: cancellation);
        for (int i = 0; i < missing.Length; i++)
            kernels.Add(missing[i], Load(missing[i], cubins[i]));
    }

    /// <summary>The kernel of a specialisation, ready to be launched.</summary>
    public CudaKernel Get(KernelDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        if (!kernels.ContainsKey(definition))
            Prepare([definition]);
        return kernels[definition];
    }

    public void Dispose()
    {
        kernels.Clear();
        foreach (CudaLibrary library in libraries)
            library.Dispose();
        libraries.Clear();
    }

    // Without a compiler nothing says that it would not know the GPU: what an earlier one left is looked for.
    private CudaTarget ChooseTarget()
    {
        try
        {
            return cache.TargetFor(context.Device.Capability);
        }
        catch (CudaUnavailableException missing) when (missing.Reason is CudaUnavailableReason.CompilerNotFound or CudaUnavailableReason.CompilerTooNew)
        {
            return own;
        }
    }

    private CubinRequest Request(KernelDefinition definition)
    {
        CubinRequest shipped = new(definition.Source, own, definition.Options);
        return cache.IsShipped(shipped) ? shipped : shipped with { Target = compiled.Value };
    }

    private CudaKernel Load(KernelDefinition definition, Cubin cubin)
    {
        CudaLibrary library = CudaLibrary.Load(context, cubin.Name, cubin.Image.Span);
        libraries.Add(library);
        CudaKernel kernel = library.GetKernel(definition.Entry);
        if (definition.DynamicSharedBytes > 0)
            kernel.AllowDynamicShared(definition.DynamicSharedBytes);
        return kernel;
    }
}
