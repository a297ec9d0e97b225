using System.CommandLine;
using XComposer2.Native.Cuda;

namespace XComposer2.Native.Cli;

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
