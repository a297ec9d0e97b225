using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using XComposer2.Native.Model;

namespace XComposer2.Native.Cli;

/// <summary><c>xc2 inspect</c>.</summary>
internal static class InspectCommand
{
    public const string HelpPage = """
        Usage: xc2 inspect DIR [--check] [--json]

        Says what is in a checkpoint folder: which model, its sizes, its tensors by
        part, and what is missing, unknown or of a wrong shape. Exit status 1 when it
        cannot be used.

          --check      read every weight: are all of them finite, and do files of
                       xc2 quantize have their checksums?
          --json       one JSON object instead of text
          --verbose    stack traces of errors

        Examples
          xc2 inspect ./internlm-xcomposer2-vl-7b
          xc2 inspect ./internlm-xcomposer2-vl-7b --check --json
        """;

    public static Command Create(CliServices services)
    {
        Argument<string> directory = new("DIR");
        Option<bool> check = CheckedOption.Flag("--check");
        Option<bool> json = CheckedOption.Flag("--json");
        DocumentedCommand command = new("inspect", HelpPage) { directory, check, json };
        command.SetAction((result, cancellationToken) =>
            RunAsync(services.Console, result.GetRequiredValue(directory), result.GetValue(check), result.GetValue(json), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CliConsole console, string directory, bool check, bool json, CancellationToken cancellationToken)
    {
        using Checkpoint checkpoint = CheckpointFolder.Open(directory);
        InspectionJson inspection = Inspector.Inspect(checkpoint);
        if (check)
            inspection = await CheckValuesAsync(console, inspection, checkpoint, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (json)
            console.Out.WriteLine(JsonSerializer.Serialize(inspection, CliJson.Lines.InspectionJson));
        else
            new InspectionText(console.RichOut()).Write(inspection);
        return inspection.Usable ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task<InspectionJson> CheckValuesAsync(CliConsole console, InspectionJson inspection, Checkpoint checkpoint, CancellationToken cancellationToken)
    {
        if (!console.ErrorIsTerminal || !console.Decorates)
            return Inspector.CheckValues(inspection, checkpoint, null, cancellationToken);
        return await console.RichError.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                ProgressTask task = context.AddTask("reading every weight", maxValue: Math.Max(1, checkpoint.TotalBytes));
                return Task.Run(() => Inspector.CheckValues(inspection, checkpoint, new TaskProgress(task), cancellationToken), CancellationToken.None);
            }).ConfigureAwait(false);
    }

    // Progress<T> would post to the thread pool, and could report after the bar is gone.
    private sealed class TaskProgress(ProgressTask task) : IProgress<long>
    {
        public void Report(long value) => task.Increment(value);
    }
}
