using XComposer2.Native.Cli;

Interrupts interrupts = Interrupts.Listen();
CliServices services = new(CliConsole.Open(), interrupts, EngineChatClient.ConnectAsync);
int exitCode = await CliApplication.RunAsync(args, services).ConfigureAwait(false);
// Not by returning: that would wait for whatever a signal left behind.
Environment.Exit(exitCode);
