using System.Diagnostics;
using System.Text;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Several processes on one cache folder: this test program starts itself.</summary>
public class CubinProcessRaceTests
{
    private const string FolderVariable = "XC2_TEST_RACE_FOLDER";
    private const int Processes = 3, Kernels = 40;

    [Fact]
    public void Racing_processes_leave_one_entry_each_and_nothing_else()
    {
        string folder = Directory.CreateTempSubdirectory("xc2-race").FullName;
        string cubins = Path.Combine(folder, "cubins");
        Process[] racers = [.. Enumerable.Range(0, Processes).Select(_ => Start(folder))];
        try
        {
            WaitUntil(() => Directory.GetFiles(folder, "ready.*").Length == Processes);
            File.WriteAllText(Path.Combine(folder, "go"), "");
            foreach (Process racer in racers)
            {
                Assert.True(racer.WaitForExit(TimeSpan.FromMinutes(1)), "a racer hangs");
                Assert.Equal(0, racer.ExitCode);
            }
            Assert.Equal(Kernels, Directory.GetFiles(cubins).Length);
            Assert.All(Directory.GetFiles(cubins), file => Assert.EndsWith(".nvrtc12.4.cubin", file, StringComparison.Ordinal));
            CubinCache cache = new(MemoryKernelSource.Scale(), () => FakeCompiler.Load(), new CubinCacheOptions { Folder = cubins });
            Assert.All(Enumerable.Range(0, Kernels), index => Assert.Equal(CubinOrigin.Cached, cache.Get(Request(index)).Origin));
            Assert.Equal(Processes, Directory.GetFiles(folder, "done.*").Length);
        }
        finally
        {
            foreach (Process racer in racers)
            {
                if (!racer.HasExited) racer.Kill();
                racer.Dispose();
            }
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What each process runs.</summary>
    [Fact(Explicit = true)]
    public void Racer()
    {
        string folder = Environment.GetEnvironmentVariable(FolderVariable)!;
        List<string> notices = [];
        CubinCache cache = new(
            MemoryKernelSource.Scale(), () => FakeCompiler.Load(), new CubinCacheOptions { Folder = Path.Combine(folder, "cubins"), Notice = notices.Add });
        File.WriteAllText(Path.Combine(folder, $"ready.{Environment.ProcessId}"), "");
        WaitUntil(() => File.Exists(Path.Combine(folder, "go")));
        for (int index = 0; index < Kernels; index++)
            Assert.EndsWith($"-DINDEX={index}", Encoding.UTF8.GetString(cache.Get(Request(index)).Image.Span), StringComparison.Ordinal);
        Assert.Empty(notices);
        File.WriteAllText(Path.Combine(folder, $"done.{Environment.ProcessId}"), "");
    }

    private static Process Start(string folder)
    {
        string program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "UnitTests.exe" : "UnitTests");
        ProcessStartInfo start = new(program, ["-noAutoReporters", "-noLogo", "-explicit", "only", "-method", $"*{nameof(CubinProcessRaceTests)}.{nameof(Racer)}"])
        {
            Environment = { [FolderVariable] = folder },
            RedirectStandardOutput = true,
        };
        Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    private static void WaitUntil(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromMinutes(1)), "waited for too long");

    private static CubinRequest Request(int index) => new("elementwise/scale.cu", CudaTarget.Cubin(90), [$"-DINDEX={index}"]);
}
