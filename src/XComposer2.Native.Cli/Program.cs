using XComposer2.Native.Cli;

using Interrupts interrupts = Interrupts.Listen();
CliServices services = new(CliConsole.Open(), interrupts, EngineChatClient.ConnectAsync);
return await CliApplication.RunAsync(args, services).ConfigureAwait(false);
