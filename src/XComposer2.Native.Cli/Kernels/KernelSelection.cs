using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Cli;

/// <summary>The kernels that a command is about.</summary>
/// <param name="Model">Whose.</param>
/// <param name="Storage">Type of weights and activations; null for the one that the model would run in.</param>
/// <param name="Weights">Of the decoder's linears.</param>
/// <param name="Targets">Generations.</param>
/// <param name="Names">Entries; empty for all.</param>
internal sealed record KernelSelection(KernelModel Model, DType? Storage, WeightFormat Weights, IReadOnlyList<CudaTarget> Targets, IReadOnlyList<string> Names)
{
    /// <summary>Each specialisation for each generation that it serves.</summary>
    /// <exception cref="UsageException">The model has no kernel of a name.</exception>
    public IReadOnlyList<SelectedKernel> Find()
    {
        SelectedKernel[] all =
        [
            .. from target in Targets
               let capability = KernelTargets.CapabilityOf(target)
               from definition in KernelCatalog.For(Model.Sizes, Model.StorageOn(capability, Storage), capability, Weights)
               select new SelectedKernel(definition, target),
        ];
        string[] entries = [.. all.Select(kernel => kernel.Definition.Entry).Distinct().Order(StringComparer.Ordinal)];
        if (Names.FirstOrDefault(name => !entries.Contains(name)) is { } unknown)
            throw new UsageException($"--kernel must be one of {string.Join(", ", entries)}, not '{unknown}'");
        return Names.Count == 0 ? all : [.. all.Where(kernel => Names.Contains(kernel.Definition.Entry))];
    }
}
