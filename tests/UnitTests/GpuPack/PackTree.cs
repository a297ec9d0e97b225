using System.Diagnostics;

namespace XComposer2.Native.UnitTests;

/// <summary>An unpacked archive of <c>tools/gpu/pack.sh</c> whose programs are stand-ins that write down what they are asked. Disposal deletes it.</summary>
internal sealed class PackTree : IDisposable
{
    private const string FakeProgram = """
        #!/bin/sh
        echo "${0##*/} $*" >>"$FAKE_TREE/asked"
        case "$*" in *"$FAKE_FAILS"*) [ -z "$FAKE_FAILS" ] || { echo 'it broke'; exit 1; } ;; esac
        case "$*" in *"$FAKE_HANGS"*) [ -z "$FAKE_HANGS" ] || sleep 30 ;; esac
        case "$*" in
            chat*) echo "${FAKE_ANSWER:-circle}" ;;
            "bench kernels"*)
                while [ $# -gt 1 ]; do [ "$1" != --json ] || printf '{\n "device": "card",\n "read_gb_per_s": 2000.5,\n "mma_tflop_per_s": 300.25\n}\n' >"$2"; shift; done
                printf 'a table\nfarthest from the limit\n  linear_decode\n' ;;
            "bench decode"*) echo '{"model":"m","device":"d","weight_bytes":9,"decode_weight_bytes":15000000000,"series":[{"name":"vision","tokens":1225,"median_ms":4.5},{"name":"prefill","tokens":1300,"median_ms":45.5},{"name":"decode","tokens":256,"median_ms":2560.0}]}' ;;
            "bench ttft"*) echo '{"series":[{"name":"first token","tokens":0,"median_ms":36.5}]}' ;;
            "bench load"*) echo '{"series":[{"name":"load","tokens":0,"median_ms":290.5}]}' ;;
            *--json*) echo '{"total_bytes":1}' ;;
        esac
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("xc2 pack-").FullName;

    public PackTree()
    {
        string root = Path.Combine(folder, "a pack");
        foreach (string part in (string[])["app", "shared/golden/some", "bin"])
            Directory.CreateDirectory(Path.Combine(root, part));
        File.Copy(TestPaths.Repository("tools/gpu/run.sh"), Path.Combine(root, "run.sh"));
        File.WriteAllText(Path.Combine(root, "COMMIT"), "c0ffee\n");
        foreach (string program in (string[])["xc2", "GpuTests"])
            WriteProgram(Path.Combine(root, "app", program), FakeProgram);
        Root = root;
    }

    public string Root { get; }

    /// <summary>What the programs were asked, one line a call.</summary>
    public IReadOnlyList<string> Asked => File.Exists(Path.Combine(folder, "asked")) ? File.ReadAllLines(Path.Combine(folder, "asked")) : [];

    /// <summary>What a run left in its folder.</summary>
    public string Result(string name) => File.ReadAllText(Path.Combine(folder, "out", name));

    /// <summary>Adds a program to the PATH of runs.</summary>
    public void AddProgram(string name, string script) => WriteProgram(Path.Combine(Root, "bin", name), script);

    public ProcessResult Run(IEnumerable<string> args, params ReadOnlySpan<(string Name, string Value)> variables)
    {
        ProcessStartInfo start = new("bash", [Path.Combine(Root, "run.sh"), "-o", Path.Combine(folder, "out"), .. args]) { WorkingDirectory = "/" };
        start.Environment["PATH"] = Path.Combine(Root, "bin") + ":/usr/bin:/bin";
        start.Environment["FAKE_TREE"] = folder;
        foreach (string name in (string[])["FAKE_FAILS", "FAKE_HANGS"])
            start.Environment[name] = "";
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        return ProcessResult.Of(start);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static void WriteProgram(string file, string script)
    {
        File.WriteAllText(file, script.ReplaceLineEndings("\n") + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
