using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>
/// Mutated files for all readers of untrusted bytes: each is read or rejected, with time and memory proportional to its size. Short by default;
/// <c>tests/fuzz.sh SECONDS</c> runs longer, with another seed each time, and writes a report.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const string SecondsVariable = "XC2_FUZZ_SECONDS", SeedVariable = "XC2_FUZZ_SEED", ReportVariable = "XC2_FUZZ_REPORT";
    private const double ShortSeconds = 1;

    /// <summary>The limits of SECURITY.md, of the processor's time.</summary>
    private const double SecondsPerMegabyte = 2, SpareSeconds = 2;

    /// <summary>A reader that waits takes no time of the processor.</summary>
    private const double HungSeconds = 120;

    private const long SpareBytes = 200_000_000, TimesSize = 3;
    private const int GrowthBytes = 4096;

    public static TheoryData<string> Names => [.. FuzzTarget.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Mutated_files_are_read_or_rejected(string name)
    {
        FuzzTarget target = FuzzTarget.All.Single(target => target.Name == name);
        double seconds = Variable(SecondsVariable) is { } asked ? asked / FuzzTarget.All.Count : ShortSeconds;
        int seed = (int)(Variable(SeedVariable) ?? 1);
        ByteMutator mutator = new(seed, target.Tokens);
        byte[][] buffers = [.. target.Samples.Select(sample => new byte[sample.Length + GrowthBytes])];
        long begun = Stopwatch.GetTimestamp(), worstBytes = 0;
        double worstSeconds = 0;
        int inputs = 0, accepted = 0;
        for (; Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds; inputs++)
        {
            int sample = inputs % target.Samples.Count;
            byte[] input = buffers[sample][..mutator.Mutate(target.Samples[sample], 0, buffers[sample])];
            if (input.Length == 0)
                continue;
            TimeSpan start = ProcessorClock.Now();
            long started = Stopwatch.GetTimestamp(), allocated = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                target.Read(input);
                accepted++;
            }
            catch (Exception error) when (target.IsRefusal(error))
            {
            }
            catch (Exception error)
            {
                string kept = Path.Combine(Path.GetTempPath(), $"xc2-fuzz-{Guid.NewGuid():N}");
                File.WriteAllBytes(kept, input);
                Assert.Fail($"{name}, seed {seed}, input {inputs} (kept in {kept}): {error}");
            }
            double took = (ProcessorClock.Now() - start).TotalSeconds;
            long bytes = GC.GetAllocatedBytesForCurrentThread() - allocated;
            Assert.True(Stopwatch.GetElapsedTime(started).TotalSeconds <= HungSeconds, $"{name}, seed {seed}, input {inputs}: hung");
            Assert.True(took <= SpareSeconds + (SecondsPerMegabyte * input.Length / 1e6), $"{name}, seed {seed}, input {inputs}: {took:F1} s for {input.Length} bytes");
            Assert.True(bytes <= SpareBytes + (TimesSize * input.Length), $"{name}, seed {seed}, input {inputs}: {bytes} bytes for {input.Length}");
            (worstSeconds, worstBytes) = (Math.Max(worstSeconds, took), Math.Max(worstBytes, bytes));
        }
        string line = string.Create(CultureInfo.InvariantCulture, $"| {name} | {inputs} | {accepted} | {worstSeconds * 1000:F0} ms | {worstBytes / 1e6:F1} MB |");
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable(ReportVariable) is { Length: > 0 } report)
            File.AppendAllText(report, line + "\n");
        Assert.True(inputs > 0);
    }

    private static double? Variable(string name) =>
        double.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;
}
