using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Cli;

/// <summary>What <c>xc2 bench kernels</c> is asked for.</summary>
/// <param name="Model">Whose sizes.</param>
/// <param name="Storage">Type of weights and activations; null for the one that the model would run in.</param>
/// <param name="Filters">A case is wanted when its name has one of these in it; empty for all.</param>
internal sealed record KernelBenchRequest(KernelModel Model, DType? Storage, IReadOnlyList<string> Filters)
{
    public L2State L2 { get; init; }

    /// <summary>Null for as many as the benchmark takes by itself.</summary>
    public int? Repetitions { get; init; }

    public bool IsQuick { get; init; }

    /// <summary>The cases for a device, and how to measure them.</summary>
    /// <exception cref="UsageException">No case has a filter in its name, or the device has no kernels of the storage type.</exception>
    public (IReadOnlyList<KernelCase> Cases, KernelBenchPlan Plan) Find(DeviceFacts device)
    {
        KernelBenchPlan plan = new() { Storage = Model.StorageOn(device.Capability, Storage), L2 = L2, IsQuick = IsQuick };
        plan = plan with { Repetitions = Repetitions ?? (IsQuick ? 1 : plan.Repetitions) };
        IReadOnlyList<KernelCase> all = CaseCatalog.For(ModelCatalog.KernelsOf(Model.Config, plan.Storage, device.Capability), device, plan.Counts);
        foreach (string filter in Filters)
            if (!all.Any(item => IsMeant(item, filter)))
                throw new UsageException($"--filter: no case has '{filter}' in its name; kernels are {string.Join(", ", all.Select(item => item.Kernel).Distinct().Order(StringComparer.Ordinal))}, --list shows the cases");
        return ([.. all.Where(item => Filters.Count == 0 || Filters.Any(filter => IsMeant(item, filter)))], plan);
    }

    private static bool IsMeant(KernelCase item, string filter) => item.Name.Contains(filter, StringComparison.OrdinalIgnoreCase);
}
