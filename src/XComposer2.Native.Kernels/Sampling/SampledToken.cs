using System.Globalization;
using System.Runtime.InteropServices;

namespace XComposer2.Native.Kernels;

/// <summary>What <see cref="SampleToken"/> writes to the host, both words at once.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct SampledToken
{
    private const int AllMinusInfinity = -1, FirstNan = -2;

    private readonly int id;
    private readonly uint step;

    private SampledToken(int id, uint step)
    {
        this.id = id;
        this.step = step;
    }

    /// <summary>What a slot holds before its first step: the step of no short answer.</summary>
    public static SampledToken None => new(AllMinusInfinity, uint.MaxValue);

    /// <summary>The chosen id, where <see cref="Failure"/> is null.</summary>
    public int Id => id;

    /// <summary>Low half of the step that chose it; what tells a new token from the one before in the same slot.</summary>
    public uint Step => step;

    /// <summary>What is wrong with the logits, in words; null where nothing is.</summary>
    public string? Failure => id switch
    {
        >= 0 => null,
        AllMinusInfinity => "every logit is -infinity",
        _ => string.Create(CultureInfo.InvariantCulture, $"the logit of id {FirstNan - id} is NaN"),
    };
}
