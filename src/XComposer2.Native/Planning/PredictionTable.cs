using System.Globalization;
using System.Text;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;
using XComposer2.Native.Model;

namespace XComposer2.Native.Planning;

/// <summary>Predicted times of a model's steps on GPUs that are not here, as Markdown.</summary>
internal static class PredictionTable
{
    /// <param name="name">Of the model.</param>
    /// <param name="config">The model.</param>
    /// <param name="storage">Type of weights and activations.</param>
    /// <param name="gpus">On which.</param>
    /// <param name="compile">Compiles with <see cref="KernelResources.Option"/>, in the order of the requests.</param>
    /// <param name="disassembler">Reads what was compiled.</param>
    public static string Write(string name, ModelConfig config, DType storage, IReadOnlyList<GpuModel> gpus, Func<IReadOnlyList<CubinRequest>, Cubin[]> compile, Disassembler disassembler)
    {
        StringBuilder text = new();
        foreach (GpuModel gpu in gpus)
        {
            IReadOnlyList<StepLaunches> steps = PredictedSteps.Of(config, storage, gpu.Device);
            Dictionary<KernelDefinition, (KernelResources Resources, SassLoop Loop)> code = Code([.. steps.SelectMany(step => step.Launches).Select(launch => launch.Case.Definition).Distinct()], gpu, compile, disassembler);
            text.Append(CultureInfo.InvariantCulture, $"\n## {gpu.Name}: {name}\n");
            foreach (StepLaunches step in steps)
                Append(text, step, launch => new KernelPrediction(launch, gpu, code[launch.Definition].Resources, code[launch.Definition].Loop));
        }

        return text.ToString();
    }

    private static Dictionary<KernelDefinition, (KernelResources Resources, SassLoop Loop)> Code(
        IReadOnlyList<KernelDefinition> definitions, GpuModel gpu, Func<IReadOnlyList<CubinRequest>, Cubin[]> compile, Disassembler disassembler)
    {
        Cubin[] cubins = compile([.. definitions.Select(definition => new CubinRequest(definition.Source, gpu.Target, [.. definition.Options, KernelResources.Option]))]);
        var code = new (KernelResources Resources, SassLoop Loop)[cubins.Length];
        Parallel.For(0, cubins.Length, i => code[i] = (KernelResources.Parse(cubins[i].Log), disassembler.Disassemble(cubins[i].Image.Span).HotLoop()));
        return definitions.Zip(code).ToDictionary(pair => pair.First, pair => pair.Second);
    }

    // Products of tensor cores: over the whole step, and while they run.
    private static string Rate((KernelPrediction Kernel, int Count)[] kernels, double total)
    {
        (KernelPrediction Kernel, int Count)[] products = [.. kernels.Where(kernel => kernel.Kernel.InstructionsPerProduct is not null)];
        double flops = products.Sum(kernel => kernel.Count * (double)kernel.Kernel.Case.Cost.Flops);
        return string.Create(CultureInfo.InvariantCulture, $", {flops / total / 1e6:0} TFLOP/s, {flops / products.Sum(kernel => kernel.Count * kernel.Kernel.Microseconds) / 1e6:0} in products");
    }

    private static void Append(StringBuilder text, StepLaunches step, Func<KernelCase, KernelPrediction> predict)
    {
        (KernelPrediction Kernel, int Count)[] kernels = [.. step.Launches.Select(launch => (predict(launch.Case), launch.Count))];
        double total = kernels.Sum(kernel => kernel.Count * kernel.Kernel.Microseconds);
        text.Append(CultureInfo.InvariantCulture, $"\n### {step.Name}: {total / 1000:0.00} ms{(step.HasRate ? Rate(kernels, total) : "")}\n\n");
        text.Append("| launch | times | registers | blocks / SM | waves | KiB in flight / SM | instructions / product | instructions / KiB | bound | us | share |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
        foreach ((KernelPrediction kernel, int count) in kernels.OrderByDescending(kernel => kernel.Count * kernel.Kernel.Microseconds))
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {kernel.Case.Name} | {count} | {kernel.Resources.Registers} | {kernel.BlocksPerMultiprocessor} | {kernel.Waves:0.00} | {kernel.BytesInFlight / 1024:0} | {kernel.InstructionsPerProduct:0.0} | {kernel.InstructionsPerKibibyte:0.0} | {kernel.Bound} | {kernel.Microseconds:0.0} | {count * kernel.Microseconds / total:0.0 %} |\n");
    }
}
