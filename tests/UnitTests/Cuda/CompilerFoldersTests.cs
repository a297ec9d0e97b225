using XComposer2.Native.Cuda;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Where an NVRTC is found that the loader does not know, on folders laid out as installers lay them out.</summary>
public sealed class CompilerFoldersTests : IDisposable
{
    private const string Linux12 = "libnvrtc.so.12", Linux13 = "libnvrtc.so.13", Windows12 = "nvrtc64_120_0.dll", Windows13 = "nvrtc64_130_0.dll";

    private readonly string root = Directory.CreateTempSubdirectory("xc2-nvrtc-").FullName;

    public CompilerFoldersTests()
    {
        Directory.CreateDirectory(Path.Combine(root, "checkout"));
        File.WriteAllText(Path.Combine(root, "checkout", "XComposer2.Native.sln"), "");
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData("usr/local/cuda/lib64/" + Linux12)]
    [InlineData("usr/local/cuda-12.4/lib64/" + Linux12)]
    [InlineData("opt/cuda/lib64/" + Linux13)]
    [InlineData("toolkit/lib64/" + Linux12)]
    [InlineData("conda/lib/" + Linux12)]
    [InlineData("conda/targets/x86_64-linux/lib/" + Linux13)]
    [InlineData("conda/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib/" + Linux12)]
    [InlineData("venv/lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib/" + Linux12)]
    [InlineData("venv/lib/python3.13/site-packages/nvidia/cu13/lib/" + Linux13)]
    [InlineData("home/.local/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib/" + Linux12)]
    [InlineData("usr/local/lib/python3.12/dist-packages/nvidia/cuda_nvrtc/lib/" + Linux12)]
    [InlineData("usr/lib/python3/dist-packages/nvidia/cuda_nvrtc/lib/" + Linux12)]
    [InlineData("checkout/artifacts/nvrtc/lib/" + Linux12)]
    [InlineData("checkout/artifacts/bin/xc2/" + Linux12)]
    public void On_linux(string file) => Assert.Equal([Place(file)], Found(isWindows: false));

    [Theory]
    [InlineData("programs/NVIDIA GPU Computing Toolkit/CUDA/v12.4/bin/" + Windows12)]
    [InlineData("programs/NVIDIA GPU Computing Toolkit/CUDA/v13.0/bin/x64/" + Windows13)]
    [InlineData("toolkit/bin/" + Windows12)]
    [InlineData("conda/Library/bin/" + Windows12)]
    [InlineData("conda/Library/bin/x64/" + Windows13)]
    [InlineData("conda/Lib/site-packages/nvidia/cuda_nvrtc/bin/" + Windows12)]
    [InlineData("venv/Lib/site-packages/nvidia/cuda_nvrtc/bin/" + Windows12)]
    [InlineData("venv/Lib/site-packages/nvidia/cu13/bin/x86_64/" + Windows13)]
    [InlineData("local/Programs/Python/Python312/Lib/site-packages/nvidia/cuda_nvrtc/bin/" + Windows12)]
    [InlineData("roaming/Python/Python312/site-packages/nvidia/cuda_nvrtc/bin/" + Windows12)]
    [InlineData("checkout/artifacts/bin/xc2/" + Windows12)]
    public void On_windows(string file) => Assert.Equal([Place(file)], Found(isWindows: true));

    [Fact]
    public void Newer_versions_and_nearer_places_come_first()
    {
        string[] expected =
        [
            Place("checkout/artifacts/bin/xc2/" + Linux12),
            Place("usr/local/cuda-12.10/lib64/" + Linux12),
            Place("usr/local/cuda-12.9/lib64/" + Linux12),
            Place("conda/lib/" + Linux12),
            Place("venv/lib/python3.12/site-packages/nvidia/cu13/lib/" + Linux13),
            Place("venv/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib/" + Linux12),
            Place("venv/lib/python3.9/site-packages/nvidia/cuda_nvrtc/lib/" + Linux12),
        ];
        Assert.Equal(expected, Found(isWindows: false));
    }

    [Fact]
    public void Unset_variables_are_no_folders()
    {
        CompilerFolders folders = new(isWindows: true, _ => null, Path.Combine(root, "checkout/artifacts/bin/xc2"), root);
        Assert.All(folders.All(), folder => Assert.StartsWith(root[..1], folder, StringComparison.Ordinal));
    }

    private string Place(string file)
    {
        string path = Path.Combine(root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "not a library");
        return path;
    }

    /// <summary>Without the names that are left to the loader.</summary>
    private string[] Found(bool isWindows)
    {
        CompilerFolders folders = new(isWindows, Variable, Path.Combine(root, "checkout/artifacts/bin/xc2"), root);
        return [.. LibraryNames.Compiler(folders, isWindows).Where(Path.IsPathRooted)];
    }

    private string? Variable(string name) => name switch
    {
        "CUDA_PATH" => Path.Combine(root, "toolkit"),
        "CONDA_PREFIX" => Path.Combine(root, "conda"),
        "VIRTUAL_ENV" => Path.Combine(root, "venv"),
        "HOME" => Path.Combine(root, "home"),
        "ProgramFiles" => Path.Combine(root, "programs"),
        "LOCALAPPDATA" => Path.Combine(root, "local"),
        "APPDATA" => Path.Combine(root, "roaming"),
        _ => null,
    };
}
