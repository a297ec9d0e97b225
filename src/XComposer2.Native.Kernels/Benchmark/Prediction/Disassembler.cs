using System.Diagnostics;

namespace XComposer2.Native.Kernels;

/// <summary>NVIDIA's <c>nvdisasm</c>, which <c>tools/nvrtc/install.sh --disassembler</c> fetches.</summary>
public sealed class Disassembler
{
    /// <summary>Names the program where it is not on PATH.</summary>
    public const string VariableName = "XC2_NVDISASM";

    private static readonly TimeSpan limit = TimeSpan.FromMinutes(1);

    private readonly string path;

    private Disassembler(string path) => this.path = path;

    /// <summary>Finds it: the named one, the one on PATH, or the one fetched into a checkout above <paramref name="start"/>.</summary>
    /// <param name="named">A path, or null.</param>
    /// <param name="start">A folder in the checkout.</param>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    public static Disassembler Find(string? named, string start)
    {
        if (named is not null)
            return File.Exists(named) ? new Disassembler(named) : throw new FileNotFoundException($"{named}: no such file; {VariableName} must name nvdisasm", named);
        string? found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "nvdisasm")).FirstOrDefault(File.Exists);
        for (DirectoryInfo? folder = new(start); found is null && folder is not null; folder = folder.Parent)
            if (Path.Combine(folder.FullName, "artifacts", "nvrtc", "bin", "nvdisasm") is var fetched && File.Exists(fetched))
                found = fetched;
        return found is not null
            ? new Disassembler(found)
            : throw new FileNotFoundException($"nvdisasm was not found: run tools/nvrtc/install.sh --disassembler, or set {VariableName} to an existing one", "nvdisasm");
    }

    /// <summary>Disassembles the code of one kernel.</summary>
    /// <param name="image">An ELF file.</param>
    /// <exception cref="InvalidDataException">nvdisasm refused it; the message has what it said.</exception>
    public SassProgram Disassemble(ReadOnlySpan<byte> image)
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, image);
            using Process process = Process.Start(new ProcessStartInfo(path, ["-c", file]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(limit))
            {
                process.Kill(entireProcessTree: true);
                throw new InvalidDataException($"{path} took over {limit.TotalSeconds} s");
            }

            return process.ExitCode == 0
                ? SassProgram.Parse(output.GetAwaiter().GetResult())
                : throw new InvalidDataException($"{path}: {errors.GetAwaiter().GetResult().Trim()}");
        }
        finally
        {
            File.Delete(file);
        }
    }
}
