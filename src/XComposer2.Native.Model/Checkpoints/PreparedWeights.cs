using System.Runtime.InteropServices;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>A model's weights as its graphs want them: the position table in F32 at the size of the model's pictures, all else as stored.</summary>
public sealed class PreparedWeights : IWeightSource
{
    private readonly IWeightSource source;
    private readonly NativeBlock? positions;
    private readonly HostTensor positionTable;

    /// <summary>Takes ownership of <paramref name="source"/>, also when it fails.</summary>
    /// <exception cref="CheckpointException">The position table has a shape or element type that it cannot have.</exception>
    public PreparedWeights(IWeightSource source, ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(config);
        this.source = source;
        try
        {
            if (!source.TryGet(ModelTensors.PositionTableName, out HostTensor stored))
                return;
            VisionConfig vision = config.Vision;
            Shape expected = new((vision.StoredGrid * vision.StoredGrid) + 1, vision.Width);
            if (stored.Shape != expected || !stored.Type.IsFloat())
                throw new CheckpointException((source as Checkpoint)?.Directory ?? "weights", ModelTensors.PositionTableName, $"{expected} of a floating type", $"{stored.Type} {stored.Shape}");
            float[] resized = PositionTable.Resize(HostTensorValues.ToFloats(stored), vision.Width, vision.StoredGrid, config.ImageGrid);
            positions = new NativeBlock((long)resized.Length * sizeof(float));
            Marshal.Copy(resized, 0, positions.Address, resized.Length);
            source.Release(ModelTensors.PositionTableName);
            positionTable = new HostTensor(positions.Address, DType.F32, new Shape((config.ImageGrid * config.ImageGrid) + 1, vision.Width));
        }
        catch
        {
            positions?.Dispose();
            source.Dispose();
            throw;
        }
    }

    public bool TryGet(string name, out HostTensor tensor)
    {
        if (positions is null || name != ModelTensors.PositionTableName)
            return source.TryGet(name, out tensor);
        tensor = positionTable with { Data = positions.Address };
        return true;
    }

    public bool TryDescribe(string name, out HostTensor facts)
    {
        if (positions is null || name != ModelTensors.PositionTableName)
            return source.TryDescribe(name, out facts);
        facts = positionTable with { Data = 0 };
        return true;
    }

    public bool TryGetFormat(string name, out WeightFormat format)
    {
        if (positions is null || name != ModelTensors.PositionTableName)
            return source.TryGetFormat(name, out format);
        format = WeightFormat.F32;
        return true;
    }

    public long AllocatedBytes(string name) => positions is null || name != ModelTensors.PositionTableName ? source.AllocatedBytes(name) : positions.LengthBytes;

    public long HeldBytes => (positions?.LengthBytes ?? 0) + source.HeldBytes;

    public void RequireIntact() => source.RequireIntact();

    public void Release(string name)
    {
        if (name != ModelTensors.PositionTableName)
            source.Release(name);
    }

    public void Dispose()
    {
        positions?.Dispose();
        source.Dispose();
    }
}
