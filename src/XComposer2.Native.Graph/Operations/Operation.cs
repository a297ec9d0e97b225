using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>One step of a graph. Derived records hold handles and constants only; backends bind each to a kernel once.</summary>
public abstract record Operation(Tensor Output)
{
    /// <summary>Snake-case name, shared with the CUDA file of the same operation.</summary>
    public abstract string Name { get; }

    /// <summary>Every tensor that is read, weights included.</summary>
    public abstract ImmutableArray<Tensor> Inputs { get; }

    /// <summary>The weight matrices of linears among them, with their formats.</summary>
    public virtual ImmutableArray<LinearWeight> LinearWeights => [];

    /// <summary>The same operation over other tensors, as a rewritten graph holds it.</summary>
    /// <param name="input">The handle that stands for a tensor that is read, weights included.</param>
    /// <param name="output">The handle that stands for the result; called once, after all inputs.</param>
    public abstract Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output);

    private protected static ImmutableArray<Tensor> PartsOf(ImmutableArray<LinearWeight> weights) => [.. weights.SelectMany(weight => weight.Parts)];

    private protected static Tensor? Renamed(Tensor? tensor, Func<Tensor, Tensor> handle) => tensor is { } present ? handle(present) : null;

    private protected static ImmutableArray<Tensor> Present(params ReadOnlySpan<Tensor?> tensors)
    {
        var present = ImmutableArray.CreateBuilder<Tensor>(tensors.Length);
        foreach (Tensor? tensor in tensors)
            if (tensor is { } value)
                present.Add(value);
        return present.ToImmutable();
    }
}
