using BenchmarkDotNet.Running;

namespace XComposer2.Native.HostBench;

internal static class Program
{
    private const string Usage = """
        HostBench linear [--json FILE] [--markdown FILE] [--threads N] [--only TEXT]
            linears compared with this machine's peak rates and with OpenBLAS, measured alternately
        HostBench micro [BenchmarkDotNet options]
            norms, attention and resize with BenchmarkDotNet
        """;

    private static int Main(string[] args)
    {
        switch (args.FirstOrDefault())
        {
            case "linear":
                return LinearCommand.Run(args[1..]);
            case "micro":
                BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args.Length > 1 ? args[1..] : ["--filter", "*"]);
                return 0;
            default:
                Console.Error.WriteLine(Usage);
                return 2;
        }
    }
}
