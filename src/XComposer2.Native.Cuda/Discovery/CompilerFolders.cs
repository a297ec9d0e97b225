namespace XComposer2.Native.Cuda;

/// <summary>Folders in which an NVRTC may lie that the loader does not find: the program's own, CUDA toolkits, conda, the checkout that the program was built in, and Python's wheels.</summary>
/// <param name="isWindows">Which layout.</param>
/// <param name="environment">Reads a variable.</param>
/// <param name="programFolder">Where the program stands.</param>
/// <param name="root">What absolute folders of the system begin with; another one for tests.</param>
internal sealed class CompilerFolders(bool isWindows, Func<string, string?> environment, string programFolder, string root = "/")
{
    /// <summary>The best first. Not all of them exist.</summary>
    public IEnumerable<string> All() => [programFolder, .. Toolkits(), .. Conda(), .. Checkouts(), .. SitePackages().SelectMany(Wheels)];

    /// <summary>For people.</summary>
    public string Description => isWindows
        ? "the program's folder, %CUDA_PATH%, CUDA under Program Files, %CONDA_PREFIX%, artifacts\\nvrtc\\lib of the program's checkout, "
            + "and Python's nvidia wheels in %VIRTUAL_ENV%, %CONDA_PREFIX% and the user's folders"
        : "the program's folder, $CUDA_HOME, $CUDA_PATH, /usr/local/cuda*, /opt/cuda, $CONDA_PREFIX, artifacts/nvrtc/lib of the program's checkout, "
            + "and Python's nvidia wheels in $VIRTUAL_ENV, $CONDA_PREFIX, ~/.local and /usr";

    private IEnumerable<string> Toolkits()
    {
        IEnumerable<string> named = Named("CUDA_HOME", "CUDA_PATH");
        return isWindows
            ? named.Concat(Versions(Below("ProgramFiles", "NVIDIA GPU Computing Toolkit", "CUDA"), "v*"))
                .SelectMany(toolkit => new[] { Path.Combine(toolkit, "bin", "x64"), Path.Combine(toolkit, "bin") })
            : named.Append(Path.Combine(root, "usr/local/cuda")).Concat(Versions(Path.Combine(root, "usr/local"), "cuda-*")).Append(Path.Combine(root, "opt/cuda"))
                .SelectMany(toolkit => new[] { Path.Combine(toolkit, "lib64"), Path.Combine(toolkit, "lib") });
    }

    private IEnumerable<string> Conda() => Named("CONDA_PREFIX").SelectMany(prefix => isWindows
        ? new[] { Path.Combine(prefix, "Library", "bin", "x64"), Path.Combine(prefix, "Library", "bin") }
        : [Path.Combine(prefix, "lib"), .. Folders(Path.Combine(prefix, "targets"), "*-linux").Select(target => Path.Combine(target, "lib"))]);

    // Folders above the checkout may belong to others.
    private IEnumerable<string> Checkouts() => ProgramCheckout.Find(programFolder) is { } checkout ? [Path.Combine(checkout, "artifacts", "nvrtc", "lib")] : [];

    /// <summary>Where Python keeps packages: the environment that is active, the user's, the system's.</summary>
    private IEnumerable<string> SitePackages()
    {
        IEnumerable<string> environments = Named("VIRTUAL_ENV", "CONDA_PREFIX");
        if (isWindows)
            return environments.Concat(Versions(Below("LOCALAPPDATA", "Programs", "Python"), "Python*")).Select(python => Path.Combine(python, "Lib", "site-packages"))
                .Concat(Versions(Below("APPDATA", "Python"), "Python*").Select(python => Path.Combine(python, "site-packages")));
        string[] local = [.. Named("HOME").Select(home => Path.Combine(home, ".local")), Path.Combine(root, "usr/local"), Path.Combine(root, "usr")];
        return environments.Concat(local).SelectMany(prefix => Versions(Path.Combine(prefix, "lib"), "python3*"))
            .SelectMany(python => new[] { Path.Combine(python, "site-packages"), Path.Combine(python, "dist-packages") });
    }

    /// <summary>nvidia/cu13 holds all libraries of CUDA 13; those of CUDA 12 have a folder each.</summary>
    private IEnumerable<string> Wheels(string packages) => isWindows
        ? [Path.Combine(packages, "nvidia", "cu13", "bin", "x86_64"), Path.Combine(packages, "nvidia", "cuda_nvrtc", "bin")]
        : [Path.Combine(packages, "nvidia", "cu13", "lib"), Path.Combine(packages, "nvidia", "cuda_nvrtc", "lib")];

    private IEnumerable<string> Named(params string[] variables) => variables.Select(environment).OfType<string>().Where(value => value.Length > 0);

    private string Below(string variable, params string[] parts) => Named(variable).Select(folder => Path.Combine([folder, .. parts])).FirstOrDefault(string.Empty);

    private static string[] Folders(string folder, string pattern) => Directory.Exists(folder) ? Directory.GetDirectories(folder, pattern) : [];

    /// <summary>Newest first: 12.10 before 12.9.</summary>
    private static IEnumerable<string> Versions(string folder, string pattern) => Folders(folder, pattern).OrderByDescending(VersionOf).ThenBy(path => path, StringComparer.Ordinal);

    private static Version VersionOf(string folder)
    {
        string digits = Path.GetFileName(folder).TrimStart([.. "abcdefghijklmnopqrstuvwxyzP-"]);
        return Version.TryParse(digits.Contains('.', StringComparison.Ordinal) ? digits : $"{digits}.0", out Version? version) ? version : new Version();
    }
}
