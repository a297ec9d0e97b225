using System.Text.Json.Nodes;
using XComposer2.Native.Graph;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>Writing checkpoints of integers, and reading them again.</summary>
public sealed unsafe class CheckpointQuantizerTests : IDisposable
{
    private static readonly WeightQuantization everything = WeightQuantization.Int4 with
    {
        Linears = WeightFormat.Grouped(4, 32), PartialLora = WeightFormat.Int8,
    };

    private readonly string root = Directory.CreateTempSubdirectory("xc2-quantizer-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Output => Path.Combine(root, "out");

    public void Dispose() => Directory.Delete(root, recursive: true);

    /// <summary>The integers are those that are made while loading, all other tensors the source's.</summary>
    [Theory]
    [InlineData("fp16-torch-bin")]
    [InlineData("mqa-head128-bf16")]
    public void A_written_checkpoint_holds_what_loading_makes(string name)
    {
        string source = TestPaths.Shared($"golden/{name}");
        IntegerManifest manifest = CheckpointQuantizer.Run(new QuantizationJob(source, Output, everything), null, Cancellation);
        Assert.True(File.Exists(Path.Combine(Output, IntegerManifest.FileName)) && !File.Exists(Path.Combine(Output, IntegerManifest.UnfinishedName)));
        manifest.RequireChecksums(Output, Cancellation);
        Assert.Equal(manifest.Weights.ToArray(), IntegerManifest.TryRead(Output)!.Weights.ToArray());

        using Checkpoint written = CheckpointFolder.Open(Output);
        CheckpointValidator.Validate(written);
        CheckpointValidator.ValidateAllValues(written, null, Cancellation);
        using QuantizedWeights loaded = new(CheckpointFolder.Open(source), everything);
        foreach (ExpectedTensor expected in ModelTensors.Expected(written.Config))
        {
            Assert.True(written.TryGetFormat(expected.Name, out WeightFormat format) & loaded.TryGetFormat(expected.Name, out WeightFormat wanted));
            Assert.Equal(wanted, format);
            foreach (WeightPartSpec part in format.Parts(expected.Shape))
            {
                string partName = WeightFormat.NameOf(expected.Name, part.Part);
                Assert.True(written.TryGet(partName, out HostTensor found) & loaded.TryGet(partName, out HostTensor same));
                Assert.Equal((same.Type, same.Shape), (found.Type, found.Shape));
                Assert.True(Bytes(same).SequenceEqual(Bytes(found)), partName);
            }

            if (!format.IsFloat)
                Assert.InRange(manifest.Weights[expected.Name].RelativeL2, 1e-3, format == WeightFormat.Int8 ? 1e-2 : 0.1);
        }
    }

    [Fact]
    public void A_gptq_file_keeps_its_integers()
    {
        string source = TestPaths.Shared("golden/gptq-4bit-128g");
        IntegerManifest manifest = CheckpointQuantizer.Run(new QuantizationJob(source, Output, WeightQuantization.Int4), null, Cancellation);
        Assert.All(manifest.Weights.Where(pair => pair.Value.Format.Elements.ElementBits() == 4), pair => Assert.Equal(0, pair.Value.RelativeL2));
        Assert.Contains(manifest.Weights, pair => pair.Value.Format.Elements.ElementBits() == 4);
        using Checkpoint stored = CheckpointFolder.Open(source), written = CheckpointFolder.Open(Output);
        Assert.True(stored.ServeIntegers(_ => true));
        const string Name = "model.layers.0.feed_forward.w1.weight";
        Assert.True(stored.TryGet(Name, out HostTensor wanted) & written.TryGet(Name, out HostTensor found));
        Assert.True(Bytes(wanted).SequenceEqual(Bytes(found)));
    }

    /// <summary>What whole files an interrupted run has left is not made again, and the result is that of a run in one go.</summary>
    [Fact]
    public void A_stopped_run_goes_on()
    {
        string source = TestPaths.Shared("golden/mqa-head128-bf16"), whole = Path.Combine(root, "whole");
        IntegerManifest expected = CheckpointQuantizer.Run(new QuantizationJob(source, whole, everything), null, Cancellation);
        using CancellationTokenSource stop = new();
        var job = new QuantizationJob(source, Output, everything);
        Assert.Throws<OperationCanceledException>(() => CheckpointQuantizer.Run(job, new Watch(progress => Stop(progress, stop)), stop.Token));
        Assert.Contains("not finished", Assert.Throws<CheckpointException>(() => CheckpointFolder.Open(Output)).Message, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Output, "*.safetensors"));
        Assert.Contains("other options", Assert.Throws<CheckpointException>(() => CheckpointQuantizer.Run(job with { Quantization = WeightQuantization.Int8 }, null, Cancellation)).Message, StringComparison.Ordinal);
        Assert.Contains("another checkpoint", Assert.Throws<CheckpointException>(() => CheckpointQuantizer.Run(job with { Model = TestPaths.Shared("golden/fp16-torch-bin") }, null, Cancellation)).Message, StringComparison.Ordinal);

        int taken = 0;
        IntegerManifest found = CheckpointQuantizer.Run(job, new Watch(progress => taken += progress.IsTaken ? 1 : 0), Cancellation);
        Assert.True(taken > 0);
        Assert.Equal(expected.Files.ToArray(), found.Files.ToArray());
        Assert.Equal(expected.Weights.ToArray(), found.Weights.ToArray());
        Assert.Contains("finished", Assert.Throws<CheckpointException>(() => CheckpointQuantizer.Run(job, null, Cancellation)).Message, StringComparison.Ordinal);

        static void Stop(QuantizationProgress progress, CancellationTokenSource stop)
        {
            if (progress.Tensor.StartsWith("model.layers.1.", StringComparison.Ordinal))
                stop.Cancel();
        }
    }

    /// <summary>Layers that are there already are only run through, and the rest is rounded as it would have been.</summary>
    [Fact]
    public void A_stopped_calibrated_run_goes_on()
    {
        string source = TestPaths.Repository("tools/demo/checkpoint"), whole = Path.Combine(root, "whole");
        var job = new QuantizationJob(source, Output, everything) { Method = QuantizationMethod.ErrorFeedback };
        Assert.Throws<ArgumentException>(() => CheckpointQuantizer.Run(job, null, Cancellation));
        IntegerManifest expected = Calibrated(job with { Output = whole }, null, Cancellation);
        Assert.All(expected.Weights.Where(pair => LayerInputs.InputOf(pair.Key) is not null), pair => Assert.InRange(pair.Value.OutputError!.Value, 1e-4, pair.Value.RoundingError!.Value));
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => Calibrated(job, new Watch(progress =>
        {
            if (progress.Tensor.StartsWith("model.layers.1.", StringComparison.Ordinal))
                stop.Cancel();
        }), stop.Token));
        Assert.Contains("other options", Assert.Throws<CheckpointException>(() => CheckpointQuantizer.Run(job with { Method = QuantizationMethod.RoundToNearest }, null, Cancellation)).Message, StringComparison.Ordinal);
        Assert.Equal(expected.Files.ToArray(), Calibrated(job, null, Cancellation).Files.ToArray());
    }

    [Fact]
    public void Folders_that_do_not_match_their_manifest_are_refused()
    {
        string source = TestPaths.Shared("golden/mqa-head128-bf16");
        CheckpointQuantizer.Run(new QuantizationJob(source, Output, WeightQuantization.Int4), null, Cancellation);
        const string Name = "model.layers.0.attention.wo.weight";
        Refused(manifest => manifest["version"] = 9, "version", "expected 1, found 9");
        Refused(manifest => manifest["weights"]![Name]!["bits"] = 3, "bits", "expected 4 or 8, found 3");
        Refused(manifest => manifest["weights"]![Name]!["group_size"] = 100, "group_size", "multiple of 8", "found 100");
        Refused(manifest => manifest["weights"]![Name]!["group_size"] = 64, Name + ".scale", "as xc2-weights.json says");
        Refused(manifest => manifest["weights"]![Name]!["inputs"] = 128, Name, "as xc2-weights.json says");
        Refused(manifest => manifest["weights"]!["model.layers.7.attention.wo.weight"] = manifest["weights"]![Name]!.DeepClone(), "model.layers.7", "no such tensor");
        Refused(manifest => manifest["files"]!["model-00001-of-00004.safetensors"]!["bytes"] = 17, "17 bytes, as xc2-weights.json says");
        Refused(manifest => manifest["files"]!["absent.safetensors"] = new JsonObject { ["bytes"] = 1 }, "absent.safetensors", "no such file");
        Refused(manifest => manifest["files"]!["../x"] = new JsonObject { ["bytes"] = 1 }, "same folder");
        string shard = Path.Combine(Output, "model-00001-of-00004.safetensors");
        byte[] bytes = File.ReadAllBytes(shard);
        bytes[^1] ^= 1;
        File.WriteAllBytes(shard, bytes);
        CheckpointException error = Assert.Throws<CheckpointException>(() => IntegerManifest.TryRead(Output)!.RequireChecksums(Output, Cancellation));
        Assert.Contains("model-00001-of-00004.safetensors: checksum", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Jobs_that_cannot_be_done_are_refused()
    {
        string source = TestPaths.Shared("golden/mqa-head128-bf16");
        Assert.Throws<ArgumentException>(() => CheckpointQuantizer.Run(new QuantizationJob(source, Output, WeightQuantization.None), null, Cancellation));
        Assert.Contains("the same", Assert.Throws<CheckpointException>(() => CheckpointQuantizer.Run(new QuantizationJob(source, source, WeightQuantization.Int8), null, Cancellation)).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(Output);
        File.WriteAllText(Path.Combine(Output, "diary.txt"), "dear");
        Assert.Contains("diary.txt", Assert.Throws<CheckpointException>(() => CheckpointQuantizer.Run(new QuantizationJob(source, Output, WeightQuantization.Int8), null, Cancellation)).Message, StringComparison.Ordinal);
        string first = Path.Combine(root, "first");
        CheckpointQuantizer.Run(new QuantizationJob(source, first, WeightQuantization.Int8), null, Cancellation);
        Assert.Contains("quantised already", Assert.Throws<CheckpointException>(() => CheckpointQuantizer.Run(new QuantizationJob(first, Path.Combine(root, "second"), WeightQuantization.Int4), null, Cancellation)).Message, StringComparison.Ordinal);
    }

    private static IntegerManifest Calibrated(QuantizationJob job, IProgress<QuantizationProgress>? progress, CancellationToken cancellation)
    {
        using var calibration = Calibration.LayerCalibration.Open(job.Model, Calibration.CalibrationSet.BuiltIn, 2, cancellation);
        return CheckpointQuantizer.Run(job, calibration, progress, cancellation);
    }

    private void Refused(Action<JsonNode> change, params string[] words)
    {
        string path = Path.Combine(Output, IntegerManifest.FileName), text = File.ReadAllText(path);
        JsonNode manifest = JsonNode.Parse(text)!;
        change(manifest);
        File.WriteAllText(path, manifest.ToJsonString());
        CheckpointException error = Assert.Throws<CheckpointException>(() => CheckpointFolder.Open(Output).Dispose());
        Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
        File.WriteAllText(path, text);
    }

    private static ReadOnlySpan<byte> Bytes(HostTensor tensor) => new((void*)tensor.Data, checked((int)tensor.Bytes));

    private sealed class Watch(Action<QuantizationProgress> watch) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value) => watch(value);
    }
}
