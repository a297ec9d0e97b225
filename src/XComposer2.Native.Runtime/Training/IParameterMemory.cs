using System.Collections.Immutable;
using XComposer2.Native.Graph;

namespace XComposer2.Native.Runtime;

/// <summary>A backend that trains: graphs with gradients, and the parameters that they change. Not thread-safe.</summary>
public interface ITrainingBackend : IDisposable
{
    /// <summary>The memory plan of a graph, with the scratch that this device's kernels want.</summary>
    ExecutionPlan Plan(ComputeGraph graph);

    /// <summary>Memory for trained weights. Dispose it before the backend.</summary>
    IParameterMemory AllocateParameters(IReadOnlyList<ParameterSpec> parameters);

    /// <summary>Binds a graph whose gradients are added to those of the parameters.</summary>
    /// <param name="plan">Made by <see cref="Plan"/>.</param>
    /// <param name="weights">All weights, the trained ones where the parameters have them. Must outlive the bound graph.</param>
    /// <param name="parameters">Of this backend. Must outlive the bound graph.</param>
    /// <exception cref="GraphException">A weight is missing or not as the graph says, or a gradient is of no parameter.</exception>
    IBoundGraph BindTraining(ExecutionPlan plan, IWeightSource weights, IParameterMemory parameters);
}

/// <summary>Trained weights in F32, each with its gradient and two running means.</summary>
public interface IParameterMemory : IDisposable
{
    ImmutableArray<ParameterSpec> Parameters { get; }

    /// <summary>Bytes of values, gradients and means together.</summary>
    long TotalBytes { get; }

    /// <summary>Values as graphs read them.</summary>
    HostTensor Weight(int parameter);

    /// <summary>Values, gradients or means of a parameter, for reading and writing between steps.</summary>
    Span<float> Read(int parameter, ParameterPart part);

    /// <summary>All gradients become zero.</summary>
    void ClearGradients();

    /// <summary>The root of the sum of squares of all gradients.</summary>
    double GradientNorm();

    /// <summary>One step of AdamW over all parameters.</summary>
    /// <param name="settings">Of the optimiser.</param>
    /// <param name="number">1 for the first step.</param>
    /// <param name="clip">Factor of the gradients.</param>
    /// <param name="rates">[parameters]: rate and weight decay of each.</param>
    void Update(AdamWSettings settings, int number, double clip, ReadOnlySpan<ParameterRate> rates);
}

/// <summary>A trained weight.</summary>
/// <param name="Name">As in graphs.</param>
/// <param name="Shape">As in graphs.</param>
public sealed record ParameterSpec(string Name, Shape Shape);

/// <summary>What there is of a parameter.</summary>
public enum ParameterPart : byte
{
    Values,
    Gradient,

    /// <summary>Running mean of the gradient.</summary>
    FirstMoment,

    /// <summary>Running mean of its square.</summary>
    SecondMoment,
}

/// <summary>Constants of AdamW.</summary>
/// <param name="Beta1">Share of the old mean of gradients.</param>
/// <param name="Beta2">Share of the old mean of squares.</param>
/// <param name="Epsilon">Added to the root of the mean of squares.</param>
public readonly record struct AdamWSettings(double Beta1, double Beta2, double Epsilon);

/// <summary>How far a parameter moves in a step.</summary>
/// <param name="Rate">Learning rate.</param>
/// <param name="WeightDecay">Share of the value that a rate of 1 would take away.</param>
public readonly record struct ParameterRate(double Rate, double WeightDecay);
