using XComposer2.Native.Cli;

Interrupts interrupts = Interrupts.Listen();
CliServices services = new(CliConsole.Open(), interrupts, EngineChatClient.ConnectAsync);
int exitCode = await CliApplication.RunAsync(args, services).ConfigureAwait(false);
// Returning would wait for abandoned work.
Environment.Exit(exitCode);
