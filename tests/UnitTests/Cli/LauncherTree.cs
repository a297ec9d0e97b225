using System.Diagnostics;

namespace XComposer2.Native.UnitTests;

/// <summary>A tree with the launcher and a fake <c>dotnet</c> that "builds" instantly and logs its arguments. Disposal deletes it.</summary>
internal sealed class LauncherTree : IDisposable
{
    private const string FakeDotnet = """
        #!/bin/sh
        case $1 in
            --version) [ -z "${FAKE_NO_SDK:-}" ] && echo 10.0.100 || { echo 'no SDK was found'; exit 145; } ;;
            publish)
                echo "$*" >>"$FAKE_TREE/publishes"
                case "$*" in *PublishReadyToRun=true*) [ -z "${FAKE_NO_CROSSGEN:-}" ] || { echo 'error NU1101: no crossgen'; exit 1; } ;; esac
                [ -z "${FAKE_BROKEN:-}" ] || { echo 'a.cs(1,1): error CS1002: ; expected'; exit 1; }
                [ -z "${FAKE_SLOW:-}" ] || sleep 1
                while [ "$1" != -o ]; do shift; done
                echo built >"$2/xc2.dll" ;;
            *)
                printf 'ran %s' "${1##*/}"; shift
                for word; do printf ' [%s]' "$word"; done; echo ;;
        esac
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("xc2 launcher-").FullName;

    /// <param name="name">Of the tree's folder.</param>
    public LauncherTree(string name = "a tree")
    {
        Root = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.Combine(Root, "src", "Some"));
        Directory.CreateDirectory(Path.Combine(folder, "bin"));
        Source = Path.Combine(Root, "src", "Some", "A.cs");
        File.WriteAllText(Source, "");
        File.Copy(TestPaths.Repository("xc2"), Launcher);
        File.WriteAllText(Path.Combine(folder, "bin", "dotnet"), FakeDotnet + "\n");
        MakeExecutable(Launcher);
        MakeExecutable(Path.Combine(folder, "bin", "dotnet"));
        Age(DateTime.UtcNow.AddMinutes(-1));
    }

    public string Root { get; }

    public string Launcher => Path.Combine(Root, "xc2");

    public string Source { get; }

    /// <summary>The publish commands so far.</summary>
    public IReadOnlyList<string> Publishes => File.Exists(Path.Combine(folder, "publishes")) ? File.ReadAllLines(Path.Combine(folder, "publishes")) : [];

    /// <summary>Sets the modification time of the source.</summary>
    public void Age(DateTime time)
    {
        File.SetLastWriteTimeUtc(Source, time);
        foreach (string directory in (string[])[Path.Combine(Root, "src"), Path.Combine(Root, "src", "Some")])
            Directory.SetLastWriteTimeUtc(directory, time);
    }

    public ProcessResult Run(string[] args, string? program = null, string? path = null, params (string Name, string Value)[] variables)
    {
        ProcessStartInfo start = new(program ?? Launcher, args) { WorkingDirectory = "/" };
        start.Environment["PATH"] = path ?? Path.Combine(folder, "bin") + ":/usr/bin:/bin";
        start.Environment["FAKE_TREE"] = folder;
        start.Environment.Remove("DOTNET_ROOT");
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        return ProcessResult.Of(start);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static void MakeExecutable(string file)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
