// Times llama.cpp as a C# program uses it (LLamaSharp with its CPU backend): loading, the first token of a prompt, then known tokens one at a time,
// each with its logits and without a sampler.
//   LLamaSharpPeer MODEL.gguf THREADS PREFILL DECODE REPETITIONS
// Prints one JSON object with one time per repetition, after a warm-up.
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using LLama;
using LLama.Common;
using LLama.Native;

int[] numbers = [.. args[1..].Select(int.Parse)];
(int threads, int prefill, int decode, int repetitions) = (numbers[0], numbers[1], numbers[2], numbers[3]);
NativeLibraryConfig.All.WithLogCallback((_, _) => { });
var parameters = new ModelParams(args[0])
{
    ContextSize = (uint)(prefill + decode + 64), BatchSize = 512, UBatchSize = 512, Threads = threads, BatchThreads = threads, GpuLayerCount = 0,
};
long start = Stopwatch.GetTimestamp();
using LLamaWeights weights = LLamaWeights.LoadFromFile(parameters);
using LLamaContext context = weights.CreateContext(parameters);
double loadMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
List<double> prefillMs = [], decodeMs = [];
for (int sample = 0; sample <= repetitions; sample++)
{
    context.NativeHandle.MemoryClear();
    start = Stopwatch.GetTimestamp();
    Step(0, prefill, 300);
    double spentPrefill = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    start = Stopwatch.GetTimestamp();
    for (int i = 0; i < decode; i++)
        Step(prefill + i, 1, 301 + (i * 7919));
    if (sample == 0)
        continue;
    prefillMs.Add(spentPrefill);
    decodeMs.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
}

string system = Marshal.PtrToStringAnsi(NativeApi.llama_print_system_info()) ?? "";
Console.WriteLine(JsonSerializer.Serialize(new { systemInfo = system, loadMs, peakBytes = PeakBytes(), prefillMs, decodeMs }));

// Tokens at positions; the last one's logits are read.
void Step(int position, int count, int token)
{
    var batch = new LLamaBatch();
    for (int i = 0; i < count; i++)
        batch.Add((token + (i * 7919)) % 92544, position + i, LLamaSeqId.Zero, i == count - 1);
    DecodeResult result = context.NativeHandle.Decode(batch);
    if (result != DecodeResult.Ok || !float.IsFinite(context.NativeHandle.GetLogitsIth(count - 1)[0]))
        throw new InvalidOperationException($"llama_decode: expected logits, found {result}");
}

static long PeakBytes()
{
    using var process = Process.GetCurrentProcess();
    return process.PeakWorkingSet64;
}
