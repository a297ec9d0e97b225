using System.CommandLine;
using XComposer2.Native.Cuda;
using XComposer2.Native.Graph;
using XComposer2.Native.Kernels;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 kernels predict</c>.</summary>
internal static class PredictCommand
{
    public static DocumentedCommand Create(CliServices services, string helpPage)
    {
        Option<string?> preset = ModelOptions.Preset();
        Option<string?> model = ModelOptions.Model();
        Option<DType?> storage = ModelOptions.Storage();
        Option<int?> threads = ModelOptions.Threads();
        Option<GpuModel[]?> gpus = new("--gpu")
        {
            CustomParser = argument =>
            {
                List<GpuModel> chosen = [];
                foreach (string name in argument.Tokens[0].Value.Split(','))
                    if (GpuModel.All.FirstOrDefault(gpu => gpu.Name == name) is { } known)
                        chosen.Add(known);
                    else
                        argument.AddError($"--gpu must be of {string.Join(", ", GpuModel.All.Select(gpu => gpu.Name))}, with commas between them, not '{name}'");
                return [.. chosen.Distinct()];
            },
        };
        DocumentedCommand command = new("predict", helpPage) { preset, model, storage, gpus, threads };
        command.SetAction((result, cancellationToken) =>
        {
            string? path = result.GetValue(model), name = result.GetValue(preset);
            if (path is not null && name is not null)
                throw new UsageException("--model and --preset exclude each other");
            KernelModel chosen = KernelModel.Open(path, path is null ? name ?? KernelModel.DefaultPreset : null);
            IReadOnlyList<GpuModel> on = result.GetValue(gpus) is { Length: > 0 } named ? named : GpuModel.All;
            Disassembler disassembler = Disassembler.Find(services.Variable(Disassembler.VariableName), AppContext.BaseDirectory);
            KernelCompiler compiler = new(services.Console);
            Cubin[] Compile(IReadOnlyList<CubinRequest> requests) => compiler.CompileAsync(requests, null, result.GetValue(threads), cancellationToken).GetAwaiter().GetResult();
            services.Console.Out.WriteLine("Predictions from machine code, not measurements." + Environment.NewLine
                + PredictionTable.Write(chosen.Name, chosen.Config, chosen.StorageOn(on[0].Device.Capability, result.GetValue(storage)), on, Compile, disassembler).TrimEnd());
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}
