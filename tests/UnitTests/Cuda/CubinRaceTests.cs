using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Concurrent threads and processes on one cache folder. The processes are instances of this test program.</summary>
public class CubinRaceTests
{
    private const string FolderVariable = "XC2_TEST_RACE_FOLDER";
    private const int Processes = 3, Kernels = 40;

    [Fact]
    public void Concurrent_threads_leave_one_entry_per_kernel()
    {
        const int Threads = 8;
        string folder = Directory.CreateTempSubdirectory("xc2-race").FullName;
        ConcurrentBag<string> complaints = [];
        using Barrier start = new(Threads);
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            CubinCache cache = new(MemoryKernelSource.Scale(), () => FakeCompiler.Load(), new CubinCacheOptions { Folder = folder, Notice = complaints.Add });
            for (int index = 0; index < Kernels; index++)
            {
                start.SignalAndWait();
                if (!Text(cache.Get(Request(index))).EndsWith($"-DINDEX={index}", StringComparison.Ordinal)) complaints.Add($"{index} received another kernel");
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.Empty(complaints);
        CheckEntries(folder);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Concurrent_processes_leave_one_entry_per_kernel()
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
                Assert.True(racer.WaitForExit(TimeSpan.FromMinutes(1)), "a process does not exit");
                Assert.Equal(0, racer.ExitCode);
            }
            CheckEntries(cubins);
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

    /// <summary>Body of each process.</summary>
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
            Assert.EndsWith($"-DINDEX={index}", Text(cache.Get(Request(index))), StringComparison.Ordinal);
        Assert.Empty(notices);
        File.WriteAllText(Path.Combine(folder, $"done.{Environment.ProcessId}"), "");
    }

    private static Process Start(string folder)
    {
        string program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "UnitTests.exe" : "UnitTests");
        ProcessStartInfo start = new(program, ["-noAutoReporters", "-noLogo", "-explicit", "only", "-method", $"*{nameof(CubinRaceTests)}.{nameof(Racer)}"])
        {
            Environment = { [FolderVariable] = folder },
            RedirectStandardOutput = true,
        };
        Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }

    private static void WaitUntil(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromMinutes(1)), "timeout");

    private static void CheckEntries(string cubins)
    {
        string[] files = Directory.GetFiles(cubins);
        Assert.Equal(Kernels, files.Length);
        Assert.All(files, file => Assert.EndsWith(".nvrtc12.4.cubin", file, StringComparison.Ordinal));
        CubinCache cache = new(MemoryKernelSource.Scale(), () => FakeCompiler.Load(), new CubinCacheOptions { Folder = cubins });
        Assert.All(Enumerable.Range(0, Kernels), index => Assert.Equal(CubinOrigin.Cached, cache.Get(Request(index)).Origin));
    }

    private static string Text(Cubin cubin) => Encoding.UTF8.GetString(cubin.Image.Span);

    private static CubinRequest Request(int index) => new("elementwise/scale.cu", CudaTarget.Cubin(90), [$"-DINDEX={index}"]);
}
