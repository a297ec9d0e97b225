using XComposer2.Native.Cli;

Interrupts interrupts = Interrupts.Listen();
CliConsole console = CliConsole.Open();
CliServices services = new(console, interrupts, EngineChatClient.ConnectAsync);
int exitCode = CliApplication.RunAsync(args, services).GetAwaiter().GetResult();
console.Editor?.Close();
// Returning would wait for abandoned work.
Environment.Exit(exitCode);
