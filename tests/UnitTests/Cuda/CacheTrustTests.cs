using System.Runtime.Versioning;
using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Compiled kernels and libraries are taken from the user and the program's own checkout only.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class CacheTrustTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("xc2-trust").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Parent_folder_of_the_program_is_not_a_checkout()
    {
        Directory.CreateDirectory(Path.Combine(root, "artifacts", "nvrtc", "lib"));
        string beside = Path.Combine(root, "sub", "app");
        Assert.Null(ProgramCheckout.Find(beside));
        File.WriteAllText(Path.Combine(root, "XComposer2.Native.sln"), "");
        Assert.Null(ProgramCheckout.Find(beside));
        Assert.Equal(root, ProgramCheckout.Find(Path.Combine(root, "artifacts", "xc2", "app.x")));
        Assert.Null(ProgramCheckout.Find(Path.Combine(root, "artifacts", "clone", "artifacts", "app")));
    }

    [Fact]
    public void Libraries_in_parent_folders_are_not_candidates()
    {
        string library = Path.Combine(root, "artifacts", "nvrtc", "lib", "libnvrtc.so.12");
        Directory.CreateDirectory(Path.GetDirectoryName(library)!);
        File.WriteAllText(library, "");
        Assert.DoesNotContain(library, NvrtcIn(Path.Combine(root, "sub", "app")));
        File.WriteAllText(Path.Combine(root, "XComposer2.Native.sln"), "");
        Assert.DoesNotContain(library, NvrtcIn(Path.Combine(root, "sub", "app")));
        Assert.Contains(library, NvrtcIn(Path.Combine(root, "artifacts", "bin", "xc2")));
    }

    private static IEnumerable<string> NvrtcIn(string programFolder) =>
        LibraryNames.Compiler(new CompilerFolders(isWindows: false, _ => null, programFolder), isWindows: false);

    [Fact]
    public void Entries_writable_by_others_are_not_used()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("permissions of Unix");
        List<string> notices = [];
        MemoryKernelSource source = MemoryKernelSource.Scale();
        CubinKey key = new(KernelProgram.Read(source, "elementwise/scale.cu"), CudaTarget.Parse("sm_80"), []);
        string path = Path.Combine(root, "cubins");
        CubinFolder mine = new(path, notices.Add) { IsPrivate = true };
        mine.Add(key, "nvrtc", new CompiledKernel(new byte[] { 1, 2, 3 }, "log"));
        string entry = Assert.Single(Directory.GetFiles(path));

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
        Assert.NotNull(mine.Find(key, "nvrtc"));
        File.SetUnixFileMode(entry, File.GetUnixFileMode(entry) | UnixFileMode.OtherWrite);
        Assert.Null(mine.Find(key, "nvrtc"));
        Assert.Contains("may be written by others", notices[^1], StringComparison.Ordinal);
        File.SetUnixFileMode(entry, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(entry, Path.Combine(root, "elsewhere"));
        File.CreateSymbolicLink(entry, Path.Combine(root, "elsewhere"));
        Assert.Null(mine.Find(key, "nvrtc"));
        Assert.Contains("is a link", notices[^1], StringComparison.Ordinal);
        // A folder filled for others is not checked.
        Assert.NotNull(new CubinFolder(path, notices.Add).Find(key, "nvrtc"));
    }

    [Fact]
    public void Permissions_of_an_existing_cache_are_restricted()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("permissions of Unix");
        string path = Path.Combine(root, "cubins");
        Directory.CreateDirectory(path, (UnixFileMode)0b111_111_111);
        MemoryKernelSource source = MemoryKernelSource.Scale();
        CubinKey key = new(KernelProgram.Read(source, "elementwise/scale.cu"), CudaTarget.Parse("sm_80"), []);
        new CubinFolder(path, _ => { }) { IsPrivate = true }.Add(key, "nvrtc", new CompiledKernel(new byte[] { 1 }, ""));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
    }

    [Fact]
    public void Unwritable_folder_for_others_is_an_error()
    {
        File.WriteAllText(Path.Combine(root, "file"), "");
        CubinRequest request = new("elementwise/scale.cu", CudaTarget.Parse("sm_80"), ["-DFACTOR=2"]);
        CubinCacheOptions options = new() { Folder = Path.Combine(root, "file", "cubins"), ShippedFolders = [] };
        Assert.Equal(CubinOrigin.Compiled, new CubinCache(MemoryKernelSource.Scale(), () => FakeCompiler.Load(), options).Get(request).Origin);
        IOException error = Assert.Throws<IOException>(() => new CubinCache(MemoryKernelSource.Scale(), () => FakeCompiler.Load(), options with { FillsForOthers = true }).Get(request));
        Assert.StartsWith($"{options.Folder}: compiled kernels cannot be written: ", error.Message, StringComparison.Ordinal);
    }
}
