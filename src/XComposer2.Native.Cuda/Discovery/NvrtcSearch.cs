using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace XComposer2.Native.Cuda;

/// <summary>Finds an NVRTC that suits the driver.</summary>
internal static class NvrtcSearch
{
    /// <inheritdoc cref="Nvrtc.Load"/>
    public static Nvrtc Load(string? library, CudaVersion? driver, Func<string, string?> environment, string programFolder)
    {
        CompilerFolders folders = new(OperatingSystem.IsWindows(), environment, programFolder);
        LibrarySearch search = new(library, Nvrtc.LibraryVariable, environment, LibraryNames.Compiler(folders, OperatingSystem.IsWindows()));
        CudaUnavailableReason reason = CudaUnavailableReason.CompilerNotFound;
        foreach (LoadedLibrary candidate in search.Load())
        {
            try
            {
                Nvrtc compiler = Open(candidate, search.IsNamed);
                if (driver is null || compiler.Version.Major <= driver.Value.Major) return compiler;
                reason = CudaUnavailableReason.CompilerTooNew;
                search.Reject(candidate, $"NVRTC {compiler.Version} makes code that a driver for CUDA {driver} does not load");
            }
            catch (CudaUnavailableException unsuited)
            {
                reason = unsuited.Reason;
                search.Reject(candidate, unsuited.Message);
            }
        }
        throw new CudaUnavailableException(reason, Describe(search, folders, driver));
    }

    private static string Describe(LibrarySearch search, CompilerFolders folders, CudaVersion? driver)
    {
        string major = (driver?.Major ?? 12).ToString(CultureInfo.InvariantCulture);
        string wheel = major == "12" ? "nvidia-cuda-nvrtc-cu12" : "nvidia-cuda-nvrtc";
        string places = search.IsNamed ? string.Empty : $"; looked in {folders.Description}";
        return $"no NVRTC library can be used ({search.Outcome}{places}). Kernels are compiled by it: install NVRTC {major} "
            + $"(on Debian and Ubuntu libnvrtc{major}, with pip {wheel}, otherwise the CUDA toolkit's cuda-nvrtc package; in a checkout tools/nvrtc/install.sh), "
            + $"or name the library with {Nvrtc.LibraryVariable}";
    }

    private static Nvrtc Open(LoadedLibrary library, bool isNamed)
    {
        string? folder = Path.GetDirectoryName(library.Name);
        if (!string.IsNullOrEmpty(folder))
            foreach (string builtins in Directory.GetFiles(folder, LibraryNames.CompilerBuiltins))
                NativeLibrary.TryLoad(Path.GetFullPath(builtins), out _);
        return new Nvrtc(library, isNamed ? Stamp(library.Name) : null);
    }

    /// <summary>A library named by hand may be any build of its version, a stand-in too, and the cache must not take one for the other.</summary>
    private static string? Stamp(string library)
    {
        FileInfo file = new(library);
        if (!file.Exists) return null;
        string facts = string.Create(CultureInfo.InvariantCulture, $"{file.Length} {file.LastWriteTimeUtc.Ticks}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(facts)).AsSpan(0, 4));
    }
}
