using System.Text;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The cache key, and the handling of damaged, unwritable and shipped entries.</summary>
public sealed class CubinCacheTests : IDisposable
{
    private const string Kernel = "elementwise/scale.cu";

    private static readonly string[] targets = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90a", "compute_90"];

    private readonly string folder = Directory.CreateTempSubdirectory("xc2-cubins").FullName;
    private readonly MemoryKernelSource source = MemoryKernelSource.Scale();
    private readonly List<string> notices = [];

    public CubinCacheTests() => FakeCompiler.Compilations = 0;

    private string[] Files => Directory.GetFiles(folder);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Second_request_compiles_nothing()
    {
        Cubin first = Get(Request()), second = Get(Request());
        Assert.Equal((CubinOrigin.Compiled, CubinOrigin.Cached), (first.Origin, second.Origin));
        Assert.Equal(first.Image.ToArray(), second.Image.ToArray());
        Assert.Equal(("log", "log"), (first.Log, second.Log));
        Assert.Equal("elementwise/scale.cu for sm_90a", second.Name);
        Assert.Equal(1, FakeCompiler.Compilations);
        Assert.Matches("^scale\\.sm_90a\\.[0-9a-f]{24}\\.nvrtc12\\.4\\.cubin$", Path.GetFileName(Assert.Single(Files)));
        Assert.Empty(notices);
    }

    [Fact]
    public void Compiler_receives_target_first_then_options_and_all_headers()
    {
        string given = Encoding.UTF8.GetString(Get(Request("-DA=1", "-DB=2")).Image.Span);
        Assert.EndsWith("|--gpu-architecture=sm_90a|-DA=1|-DB=2", given, StringComparison.Ordinal);
        Assert.StartsWith("elementwise/scale.cu|", given, StringComparison.Ordinal);
        Assert.Contains("|common/types.cuh|", given, StringComparison.Ordinal);
        Assert.Contains("|common/scale_args.cuh|", given, StringComparison.Ordinal);
    }

    public static TheoryData<string> Changes => ["option", "option order", "option border", "option less", "option more", "target", "target a", "ptx", "source", "include", "include of include", "compiler", "path"];

    [Theory]
    [MemberData(nameof(Changes))]
    public void Every_input_of_the_code_changes_the_key(string change)
    {
        source.Files["other/scale.cu"] = source.Files[Kernel];
        CubinRequest request = Request("-DA=1", "-DB=2");
        Cubin before = Get(request);
        int minor = 4;
        switch (change)
        {
            case "option": request = Request("-DA=1", "-DB=3"); break;
            case "option order": request = Request("-DB=2", "-DA=1"); break;
            case "option border": request = Request("-DA=1-", "DB=2"); break;
            case "option less": request = Request("-DA=1-DB=2"); break;
            case "option more": request = Request("-DA=1", "-DB=2", ""); break;
            case "target": request = request with { Target = CudaTarget.Cubin(80) }; break;
            case "target a": request = request with { Target = CudaTarget.Cubin(90) }; break;
            case "ptx": request = request with { Target = CudaTarget.Ptx(90, isSpecific: true) }; break;
            case "source": source.Files[Kernel] += "\n"; break;
            case "include": source.Files["common/scale_args.cuh"] += "\n"; break;
            case "include of include": source.Files["common/types.cuh"] += "\n"; break;
            case "compiler": minor = 5; break;
            case "path": request = request with { Source = "other/scale.cu" }; break;
        }
        Assert.Equal(CubinOrigin.Compiled, Get(request, minor).Origin);
        Assert.Equal(2, Files.Length);
        Assert.Equal(CubinOrigin.Cached, Get(request, minor).Origin);
        Assert.Equal(CubinOrigin.Compiled, before.Origin);
    }

    [Fact]
    public void File_that_is_not_included_does_not_change_the_key()
    {
        Get(Request());
        source.Files["common/other.cuh"] = "changed";
        Assert.Equal(CubinOrigin.Cached, Get(Request()).Origin);
    }

    [Fact]
    public void Truncated_or_modified_entry_is_recompiled()
    {
        byte[] image = Get(Request()).Image.ToArray();
        string file = Assert.Single(Files);
        byte[] whole = File.ReadAllBytes(file);
        List<byte[]> damaged = [[], whole.Append((byte)0).ToArray(), new byte[whole.Length]];
        for (int length = 0; length < whole.Length; length += length < 100 || length > whole.Length - 20 ? 1 : 37) damaged.Add(whole[..length]);
        for (int index = 0; index < whole.Length; index += index < 100 || index > whole.Length - 20 ? 1 : 29)
        {
            byte[] changed = [.. whole];
            changed[index] ^= 0x10;
            damaged.Add(changed);
        }
        foreach (byte[] bytes in damaged)
        {
            File.WriteAllBytes(file, bytes);
            notices.Clear();
            Cubin again = Get(Request());
            Assert.Equal(CubinOrigin.Compiled, again.Origin);
            Assert.Equal(image, again.Image.ToArray());
            Assert.Equal([$"the compiled kernel {file} is damaged and not used"], notices);
            Assert.Equal(whole, File.ReadAllBytes(file));
            Assert.Equal([file], Files);
        }
    }

    [Fact]
    public void Entry_under_a_different_name_is_not_used()
    {
        Get(Request("-DA=1"));
        string first = Assert.Single(Files);
        Get(Request("-DA=2"));
        string second = Files.Single(file => file != first);
        File.Copy(first, second, overwrite: true);
        Cubin again = Get(Request("-DA=2"));
        Assert.Equal(CubinOrigin.Compiled, again.Origin);
        Assert.Contains("-DA=2", Encoding.UTF8.GetString(again.Image.Span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file in the way")]
    [InlineData("no permission")]
    public void Unwritable_cache_compiles_and_reports_once(string obstacle)
    {
        string place = Path.Combine(folder, "cubins");
        if (obstacle == "file in the way") File.WriteAllText(place, "");
        else if (!OperatingSystem.IsLinux()) Assert.Skip("requires /proc");
        else place = "/proc/xc2-cubins";
        CubinCache cache = new(source, () => FakeCompiler.Load(), new CubinCacheOptions { Folder = place, Notice = notices.Add });
        Assert.Equal(CubinOrigin.Compiled, cache.Get(Request("-DA=1")).Origin);
        Assert.Equal(CubinOrigin.Compiled, cache.Get(Request("-DA=1")).Origin);
        Assert.Equal(CubinOrigin.Compiled, cache.Get(Request("-DA=2")).Origin);
        string notice = Assert.Single(notices);
        Assert.StartsWith("compiled kernels are not kept, so that every start compiles them again: ", notice, StringComparison.Ordinal);
        Assert.EndsWith("Name a folder that can be written with XC2_CACHE", notice, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_only_folder_serves_its_entries()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("file permissions do not restrict this user");
            return;
        }
        Get(Request("-DA=1"));
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Assert.Equal(CubinOrigin.Cached, Get(Request("-DA=1")).Origin);
            Assert.Equal(CubinOrigin.Compiled, Get(Request("-DA=2")).Origin);
            Assert.Single(notices);
        }
        finally
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public void Shipped_entry_needs_no_compiler_and_is_not_copied()
    {
        Get(Request());
        string own = Path.Combine(folder, "own");
        CubinCache cache = new(source, NoCompiler, new CubinCacheOptions { Folder = own, ShippedFolders = [Path.Combine(folder, "none"), folder] });
        Assert.Equal(CubinOrigin.Shipped, cache.Get(Request()).Origin);
        Assert.False(Directory.Exists(own));
        Assert.Equal(CudaUnavailableReason.CompilerNotFound, Assert.Throws<CudaUnavailableException>(() => cache.Get(Request("-DA=9"))).Reason);
    }

    [Fact]
    public void Missing_compiler_fails_early_only_if_no_folder_has_code_for_the_device()
    {
        Get(Request());
        CubinCache shipping = new(source, NoCompiler, new CubinCacheOptions { Folder = Path.Combine(folder, "own"), ShippedFolders = [folder] });
        Assert.True(shipping.IsShipped(Request()));
        Assert.False(shipping.IsShipped(Request("-DA=9")));
        shipping.RequireCodeFor(new ComputeCapability(9, 0));
        Assert.Equal("none", Assert.Throws<CudaUnavailableException>(() => shipping.RequireCodeFor(new ComputeCapability(8, 0))).Message);
        new CubinCache(source, NoCompiler, new CubinCacheOptions { Folder = folder, ShippedFolders = [] }).RequireCodeFor(new ComputeCapability(9, 0));
        Assert.Equal(
            $"{Kernel} for sm_90a has to be compiled (no compiled one is in {folder} or {Path.Combine(folder, "own")}), and none",
            Assert.Throws<CudaUnavailableException>(() => shipping.Get(Request("-DA=9"))).Message);
    }

    [Fact]
    public void Shipped_kernels_are_searched_in_the_variable_and_beside_the_program()
    {
        Assert.Equal([Path.Combine("app", "cubins")], CubinFolders.Shipped(_ => null, "app"));
        Assert.Equal([Path.Combine("mine", "cubins"), Path.Combine("app", "cubins")], CubinFolders.Shipped(name => name == "XC2_KERNELS" ? "mine" : null, "app"));
    }

    [Fact]
    public void Entries_of_an_earlier_compiler_are_used_without_a_compiler()
    {
        Get(Request());
        CubinCache cache = new(source, NoCompiler, new CubinCacheOptions { Folder = folder });
        Assert.Equal(CubinOrigin.Cached, cache.Get(Request()).Origin);
    }

    [Fact]
    public void Batch_returns_results_in_order_with_progress()
    {
        CubinRequest[] requests = [.. Enumerable.Range(0, 20).Select(index => Request($"-DINDEX={index}"))];
        Get(requests[3]);
        List<CompileProgress> reports = [];
        Cubin[] cubins = Cache().GetAll(requests, new Reports(reports), 4, TestContext.Current.CancellationToken);
        Assert.All(cubins.Index(), cubin => Assert.EndsWith($"-DINDEX={cubin.Index}", Encoding.UTF8.GetString(cubin.Item.Image.Span), StringComparison.Ordinal));
        Assert.Equal(Enumerable.Range(1, 20), reports.Select(report => report.Done));
        Assert.All(reports, report => Assert.Equal(20, report.Total));
        Assert.Single(reports, report => report.Latest.Origin == CubinOrigin.Cached);
        Assert.Equal(20, Files.Length);
    }

    [Fact]
    public void First_failure_cancels_the_batch()
    {
        source.Files["bad.cu"] = "#error";
        CubinRequest[] requests = [Request(), Request() with { Source = "bad.cu" }, .. Enumerable.Range(0, 200).Select(index => Request($"-DINDEX={index}"))];
        NvrtcException failure = Assert.Throws<NvrtcException>(() => Cache().GetAll(requests, null, 1, TestContext.Current.CancellationToken));
        Assert.StartsWith("bad.cu does not compile for sm_90a", failure.Message, StringComparison.Ordinal);
        Assert.Single(Files);
    }

    [Fact]
    public void Cancelled_batch_keeps_finished_entries()
    {
        using CancellationTokenSource cancellation = new();
        CubinRequest[] requests = [.. Enumerable.Range(0, 200).Select(index => Request($"-DINDEX={index}"))];
        Assert.Throws<OperationCanceledException>(() => Cache().GetAll(requests, new Canceller(cancellation, 5), 2, cancellation.Token));
        Assert.InRange(Files.Length, 5, 7);
        Assert.All(Files, file => Assert.EndsWith(".cubin", file, StringComparison.Ordinal));
    }

    [Fact]
    public void Real_compiler_compiles_embedded_kernels_once_per_target()
    {
        EmbeddedKernelSource embedded = new(typeof(CubinCacheTests).Assembly);
        string library = NvidiaLibraries.Compiler;
        CubinRequest[] requests = [.. targets.Select(target => new CubinRequest("elementwise/add.cu", CudaTarget.Parse(target), ["--std=c++17"]))];
        CubinCacheOptions options = new() { Folder = folder, Notice = notices.Add };
        Cubin[] first = new CubinCache(embedded, () => Nvrtc.Load(library), options).GetAll(requests, cancellation: TestContext.Current.CancellationToken);
        Cubin[] second = new CubinCache(embedded, () => Nvrtc.Load(library), options).GetAll(requests, cancellation: TestContext.Current.CancellationToken);
        Assert.All(first, cubin => Assert.Equal(CubinOrigin.Compiled, cubin.Origin));
        Assert.All(second, cubin => Assert.Equal(CubinOrigin.Cached, cubin.Origin));
        Assert.Equal(first.Select(cubin => Convert.ToHexString(cubin.Image.Span)), second.Select(cubin => Convert.ToHexString(cubin.Image.Span)));
        Assert.Equal(6, second.Select(cubin => Convert.ToHexString(cubin.Image.Span)).Distinct().Count());
        Assert.Empty(notices);
    }

    [Fact]
    public void Abandoned_temporary_files_are_removed_after_a_day()
    {
        string old = Path.Combine(folder, "a.cubin.1.tmp"), young = Path.Combine(folder, "b.cubin.2.tmp");
        File.WriteAllText(old, "");
        File.WriteAllText(young, "");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddDays(-2));
        Cache();
        Assert.Equal([young], Files);
    }

    [Fact]
    public void Cache_folder_comes_from_option_variable_or_platform()
    {
        Dictionary<string, string> variables = [];
        string? Choose(string? option = null) => CubinFolders.Choose(option, variables.GetValueOrDefault);
        Assert.Null(Choose());
        if (OperatingSystem.IsWindows())
        {
            variables["LOCALAPPDATA"] = "C:\\local";
            Assert.Equal("C:\\local\\xcomposer2-native\\cubins", Choose());
            return;
        }
        variables["HOME"] = "/home/x";
        Assert.Equal("/home/x/.cache/xcomposer2-native/cubins", Choose());
        variables["XDG_CACHE_HOME"] = "relative";
        Assert.Equal("/home/x/.cache/xcomposer2-native/cubins", Choose());
        variables["XDG_CACHE_HOME"] = "/caches";
        Assert.Equal("/caches/xcomposer2-native/cubins", Choose());
        variables["XC2_CACHE"] = "/mine";
        Assert.Equal("/mine/cubins", Choose());
        Assert.Equal("/option", Choose("/option"));
    }

    private static CubinRequest Request(params string[] options) => new(Kernel, CudaTarget.Cubin(90, isSpecific: true), options);

    private static Nvrtc NoCompiler() => throw new CudaUnavailableException(CudaUnavailableReason.CompilerNotFound, "none");

    private CubinCache Cache(int minor = 4) => new(source, () => FakeCompiler.Load(minor), new CubinCacheOptions { Folder = folder, Notice = notices.Add });

    private Cubin Get(CubinRequest request, int minor = 4) => Cache(minor).Get(request);

    private sealed class Reports(List<CompileProgress> reports) : IProgress<CompileProgress>
    {
        public void Report(CompileProgress value) => reports.Add(value);
    }

    private sealed class Canceller(CancellationTokenSource cancellation, int after) : IProgress<CompileProgress>
    {
        public void Report(CompileProgress value)
        {
            if (value.Done == after) cancellation.Cancel();
        }
    }
}
