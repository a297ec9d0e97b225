using XComposer2.Native.Model;
using XComposer2.Native.Runtime;

namespace XComposer2.Native;

/// <summary>An opened, checked checkpoint on a backend. Owns all of it.</summary>
internal sealed class LoadedModel : IDisposable
{
    private LoadedModel(Checkpoint checkpoint, PreparedWeights weights, IBackend backend)
    {
        Checkpoint = checkpoint;
        Weights = weights;
        Backend = backend;
    }

    public Checkpoint Checkpoint { get; }

    public ModelConfig Config => Checkpoint.Config;

    public PreparedWeights Weights { get; }

    public IBackend Backend { get; }

    /// <summary>CPU threads.</summary>
    public required int Threads { get; init; }

    /// <exception cref="CheckpointException">The checkpoint is missing something or damaged.</exception>
    public static LoadedModel Open(string path, DeviceKind device, int? threads)
    {
        Checkpoint checkpoint = CheckpointFolder.Open(path);
        PreparedWeights? weights = null;
        try
        {
            CheckpointValidator.Validate(checkpoint);
            checkpoint.Config.RequireSupportedImages(Path.Combine(path, "config.json"));
            weights = new PreparedWeights(checkpoint, checkpoint.Config);
            return new LoadedModel(checkpoint, weights, Backends.Create(device, threads)) { Threads = threads ?? Environment.ProcessorCount };
        }
        catch
        {
            weights?.Dispose();
            checkpoint.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Backend.Dispose();
        Weights.Dispose();
    }
}
