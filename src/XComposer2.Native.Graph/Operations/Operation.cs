using System.Collections.Immutable;

namespace XComposer2.Native.Graph;

/// <summary>One step of a graph. Derived records hold handles and constants only; backends bind each to a kernel once.</summary>
public abstract record Operation(Tensor Output)
{
    /// <summary>Snake-case name, shared with the CUDA file of the same operation.</summary>
    public abstract string Name { get; }

    /// <summary>Every tensor that is read, weights included.</summary>
    public abstract ImmutableArray<Tensor> Inputs { get; }

    /// <summary>The weight matrices among them whose format may be of integers: those of linears, and the table of embeddings.</summary>
    public virtual ImmutableArray<LinearWeight> LinearWeights => [];

    /// <summary>Adds to a result, or writes further rows of one, that an operation before it began. Only lowered graphs have such operations.</summary>
    public virtual bool ContinuesOutput => false;

    /// <summary>The same operation over other tensors, as a rewritten graph holds it.</summary>
    /// <param name="input">The handle that stands for a tensor that is read, weights included.</param>
    /// <param name="output">The handle that stands for the result; called once, after all inputs.</param>
    public abstract Operation Rename(Func<Tensor, Tensor> input, Func<Tensor, Tensor> output);

    /// <summary>The input of a linear, the parts of its weights, and those of the others that there are.</summary>
    private protected static ImmutableArray<Tensor> InputsOf(Tensor input, ImmutableArray<LinearWeight> weights, params ReadOnlySpan<Tensor?> others)
    {
        // Called for every operation of every graph before the first token: sequences of a struct would cost dozens of methods to compile.
        var inputs = ImmutableArray.CreateBuilder<Tensor>();
        inputs.Add(input);
        foreach (LinearWeight weight in weights)
            weight.AddParts(inputs);
        AddPresent(inputs, others);
        return inputs.ToImmutable();
    }

    private protected static Tensor? Renamed(Tensor? tensor, Func<Tensor, Tensor> handle) => tensor is { } present ? handle(present) : null;

    private protected static ImmutableArray<Tensor> Present(params ReadOnlySpan<Tensor?> tensors)
    {
        var present = ImmutableArray.CreateBuilder<Tensor>(tensors.Length);
        AddPresent(present, tensors);
        return present.ToImmutable();
    }

    private static void AddPresent(ImmutableArray<Tensor>.Builder list, ReadOnlySpan<Tensor?> tensors)
    {
        foreach (Tensor? tensor in tensors)
            if (tensor is { } present)
                list.Add(present);
    }
}
