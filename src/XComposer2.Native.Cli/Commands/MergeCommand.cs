using System.CommandLine;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 merge</c>.</summary>
internal static class MergeCommand
{
    public const string HelpPage = """
        Usage: xc2 merge --adapter DIR --out DIR [--model DIR]

        Merges LoRA adapters (PEFT) into a checkpoint and writes it in the layout of the
        published ones: safetensors, config.json, the tokenizer. A GPTQ checkpoint is
        dequantised. A run that was stopped goes on where it was; every file of weights
        is read back and compared.

          --model DIR      the base model (else $XC2_MODEL, else the demo)
          --adapter DIR    adapter_config.json and adapter_model.safetensors or .bin;
                           repeat for more, which are applied in this order
          --out DIR        a new folder, or that of a run that was stopped
          --verbose        stack traces of errors

        Example
          xc2 merge --model ./internlm-xcomposer2-vl-7b --adapter my-lora --out merged
        """;

    public static Command Create(CliServices services)
    {
        Option<string?> model = ModelOptions.Model();
        Option<string[]> adapters = ModelOptions.Adapters();
        Option<string?> output = new("--out", "-o");
        DocumentedCommand command = new("merge", HelpPage) { model, adapters, output };
        command.SetAction((result, cancellationToken) =>
        {
            string folder = result.GetValue(output) ?? throw new UsageException("--out is missing: the folder to write");
            if (result.GetValue(adapters) is not { Length: > 0 } folders)
                throw new UsageException("--adapter is missing: the folder of an adapter");
            string path = ModelFolder.Choose(result.GetValue(model), services.Variable, AppContext.BaseDirectory).Path;
            return RunAsync(services.Console, path, folders, folder, cancellationToken);
        });
        return command;
    }

    private static async Task<int> RunAsync(CliConsole console, string model, IReadOnlyList<string> adapters, string output, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> files = await console.WaitAsync(
            "merging", Task.Run(() => CheckpointMerge.Run(model, adapters, output, null, cancellationToken), CancellationToken.None)).ConfigureAwait(false);
        console.Say($"{files.Count} {(files.Count == 1 ? "file" : "files")} of weights in {TerminalText.OneLine(output)}\n");
        return ExitCode.Done;
    }
}
