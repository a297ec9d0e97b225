using System.Numerics;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Model;

/// <summary>
/// Weights with merged LoRA adapters: W + scale x B A for each adapter in order, computed in F32 and rounded once to the type of W. A weight
/// is merged on first use, into memory that is kept until <see cref="Release"/> or disposal; unchanged weights are not copied.
/// </summary>
internal sealed unsafe class AdaptedWeights : IWeightSource
{
    private readonly IWeightSource source;
    private readonly IReadOnlyList<LoraAdapter> adapters;
    private readonly Dictionary<string, NativeBlock> merged = new(StringComparer.Ordinal);
    private readonly Lock merging = new();

    /// <summary>Takes ownership of both.</summary>
    /// <exception cref="CheckpointException">An adapter targets a missing weight, or one of another shape.</exception>
    public AdaptedWeights(IWeightSource source, IReadOnlyList<CheckpointTensor> tensors, IReadOnlyList<LoraAdapter> adapters)
    {
        this.source = source;
        this.adapters = adapters;
        Dictionary<string, CheckpointTensor> known = tensors.ToDictionary(tensor => tensor.Name);
        foreach (LoraAdapter adapter in adapters)
        {
            foreach ((string name, LoraUpdate update) in adapter.Updates)
            {
                if (!known.TryGetValue(name, out CheckpointTensor? weight))
                    throw new CheckpointException(adapter.Directory, $"tensor {CheckpointException.Show(update.Down)}", "a weight of the base model to change", $"no {CheckpointException.Show(name)} in it");
                if (weight.Shape != new Shape(update.Outputs, update.Inputs) || weight.Type is not { } type || !type.IsFloat())
                    throw new CheckpointException(adapter.Directory, $"tensor {CheckpointException.Show(update.Down)}", $"a change of {weight.TypeName} {weight.Shape}", $"one of [{update.Outputs}, {update.Inputs}]");
            }
        }
    }

    public bool TryGet(string name, out HostTensor tensor)
    {
        if (!IsAdapted(name))
            return source.TryGet(name, out tensor);
        if (!source.TryDescribe(name, out tensor))
            return false;
        tensor = tensor with { Data = Merged(name, tensor.Bytes) };
        return true;
    }

    public bool TryDescribe(string name, out HostTensor facts) => source.TryDescribe(name, out facts);

    public bool TryGetFormat(string name, out WeightFormat format) => source.TryGetFormat(name, out format);

    public long AllocatedBytes(string name) => IsAdapted(name) && source.TryDescribe(name, out HostTensor facts) ? facts.Bytes : source.AllocatedBytes(name);

    public long HeldBytes
    {
        get
        {
            lock (merging)
                return merged.Values.Sum(block => block.LengthBytes) + source.HeldBytes;
        }
    }

    public void RequireIntact() => source.RequireIntact();

    public void Release(string name)
    {
        lock (merging)
        {
            if (merged.Remove(name, out NativeBlock? block))
                block.Dispose();
        }
        source.Release(name);
    }

    public void Dispose()
    {
        lock (merging)
        {
            foreach (NativeBlock block in merged.Values)
                block.Dispose();
            merged.Clear();
        }
        foreach (LoraAdapter adapter in adapters)
            adapter.Dispose();
        source.Dispose();
    }

    private bool IsAdapted(string name) => adapters.Any(adapter => adapter.Updates.ContainsKey(name));

    /// <summary>A weight that the source itself makes is not kept beside the merged one.</summary>
    private nint Merged(string name, long lengthBytes)
    {
        lock (merging)
        {
            if (merged.TryGetValue(name, out NativeBlock? block))
                return block.Address;
            block = new NativeBlock(lengthBytes);
            try
            {
                if (!source.TryGet(name, out HostTensor weight))
                    throw new InvalidOperationException($"{name} was there when the adapters were opened");
                Merge(name, weight, block.Address);
            }
            catch
            {
                block.Dispose();
                throw;
            }
            finally
            {
                source.Release(name);
            }
            merged.Add(name, block);
            return block.Address;
        }
    }

    private void Merge(string name, HostTensor weight, nint target)
    {
        int outputs = weight.Shape[0], inputs = weight.Shape[1], elementBytes = weight.Type.ElementBytes();
        (LoraUpdate Update, float[] Down, float[] Up)[] updates =
        [
            .. from adapter in adapters
               where adapter.Updates.ContainsKey(name)
               let update = adapter.Updates[name]
               select (update, adapter.Read(update.Down), adapter.Read(update.Up)),
        ];
        Parallel.For(0, outputs, output =>
        {
            long offset = (long)output * inputs * elementBytes;
            float[] row = HostTensorValues.ToFloats(new HostTensor(weight.Data + (nint)offset, weight.Type, new Shape(inputs)));
            float[] change = new float[inputs];
            foreach ((LoraUpdate update, float[] down, float[] up) in updates)
            {
                Array.Clear(change);
                for (int rank = 0; rank < update.Rank; rank++)
                    AddScaled(down.AsSpan(rank * inputs, inputs), up[(output * update.Rank) + rank], change);
                AddScaled(change, update.Scale, row);
            }
            HostTensorValues.Store(row, weight.Type, target + (nint)offset);
        });
    }

    private static void AddScaled(ReadOnlySpan<float> source, float factor, Span<float> target)
    {
        Vector<float> factors = new(factor);
        int i = 0;
        for (; i <= target.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(target[i..]) + (new Vector<float>(source[i..]) * factors)).CopyTo(target[i..]);
        for (; i < target.Length; i++)
            target[i] += source[i] * factor;
    }
}
