using System.Collections.Immutable;
using XComposer2.Demo.Conversations;
using XComposer2.Demo.World;

namespace XComposer2.Demo.Mixtures;

/// <summary>Kinds with weights: what a training stage learns from. Immutable, safe to share between threads.</summary>
public sealed class Mixture
{
    /// <param name="name">Of the stage: mixtures with other names draw other samples.</param>
    /// <param name="parts">Kinds or groups, with weights above 0; their sum does not matter.</param>
    /// <exception cref="ArgumentException">There is no kind, or a weight is not above 0.</exception>
    public Mixture(string name, IReadOnlyList<(string Kind, double Weight)> parts)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(parts);
        if (parts.Count == 0)
            throw new ArgumentException($"mixture '{name}': expected kinds, found none", nameof(parts));
        foreach ((string kind, double weight) in parts)
            if (!(weight > 0) || !double.IsFinite(weight))
                throw new ArgumentException($"mixture '{name}': expected a weight above 0 for '{kind}', found {weight}", nameof(parts));
        (Name, Parts) = (name, [.. parts]);
    }

    /// <summary>Name of the stage.</summary>
    public string Name { get; }

    /// <summary>Kinds and their weights.</summary>
    public ImmutableArray<(string Kind, double Weight)> Parts { get; }

    /// <summary>A sample of one of the kinds.</summary>
    /// <param name="seed">Of the run; held-out seeds stay held out.</param>
    /// <param name="number">0 or more.</param>
    /// <exception cref="ArgumentException">A kind is not known.</exception>
    public ToySample Sample(ulong seed, long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        SeededRandom random = SeededRandom.For(Name, seed, number);
        double place = random.Fraction() * Parts.Sum(part => part.Weight);
        string kind = Parts[^1].Kind;
        foreach ((string each, double weight) in Parts)
        {
            place -= weight;
            if (place < 0)
            {
                kind = each;
                break;
            }
        }

        // Another seed for each mixture, of the same half.
        ulong half = seed & ToySamples.FirstHeldOutSeed;
        return ToySamples.Draw(kind, (random.NextBits() & ~ToySamples.FirstHeldOutSeed) | half, number);
    }
}
