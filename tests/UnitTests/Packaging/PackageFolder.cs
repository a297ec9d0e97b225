using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;
using XComposer2.Native.Cli;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The packages of this build, in a temporary folder that is deleted at the end.</summary>
public sealed class PackageFolder : IDisposable
{
    private static readonly TimeSpan limit = TimeSpan.FromMinutes(5);

    public PackageFolder()
    {
        string configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        Dotnet(TestPaths.RepositoryRoot, "pack", "XComposer2.Native.sln", "-c", configuration, "--no-build", "--nologo", "-v", "quiet", "-nodeReuse:false", "-o", Packages);
    }

    public static string Version => CliApplication.Version;

    public string Root { get; } = Directory.CreateTempSubdirectory("xc2 packages-").FullName;

    public string Packages => Path.Combine(Root, "packages");

    /// <summary>Folder of packages that a restore fills; empty at first.</summary>
    public string Cache => Path.Combine(Root, "cache");

    /// <summary>A feed with the packages that this repository's own restore has downloaded.</summary>
    public static string Downloaded =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named ? named : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    public ZipArchive Open(string id, string extension = "nupkg") => ZipFile.OpenRead(Path.Combine(Packages, $"{id}.{Version}.{extension}"));

    /// <summary>The metadata of a package, without XML namespaces.</summary>
    public XElement Metadata(string id)
    {
        using ZipArchive package = Open(id);
        using Stream stream = package.GetEntry(id + ".nuspec")!.Open();
        XElement metadata = XDocument.Load(stream).Root!.Elements().Single();
        foreach (XElement element in metadata.DescendantsAndSelf())
            element.Name = element.Name.LocalName;
        return metadata;
    }

    /// <summary>Runs <c>dotnet</c> with the empty cache.</summary>
    /// <returns>Standard output.</returns>
    public string Dotnet(string folder, params string[] arguments)
    {
        ProcessResult result = TryDotnet(folder, arguments);
        Assert.True(result.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}\n{result.Output}{result.Error}");
        return result.Output;
    }

    /// <inheritdoc cref="Dotnet"/>
    public ProcessResult TryDotnet(string folder, params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet", arguments) { WorkingDirectory = folder };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment.Remove("MSBUILD_EXE_PATH");
        if (folder != TestPaths.RepositoryRoot)
            start.Environment["NUGET_PACKAGES"] = Cache;
        return ProcessResult.Of(start, limit: limit);
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
