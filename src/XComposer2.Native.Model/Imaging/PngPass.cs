namespace XComposer2.Native.Model;

/// <summary>One of the sub-pictures that an interlaced PNG is stored as.</summary>
internal readonly record struct PngPass(int Left, int Top, int StepX, int StepY)
{
    public static PngPass[] Plain => [new(0, 0, 1, 1)];

    public static PngPass[] Adam7 => [new(0, 0, 8, 8), new(4, 0, 8, 8), new(0, 4, 4, 8), new(2, 0, 4, 4), new(0, 2, 2, 4), new(1, 0, 2, 2), new(0, 1, 1, 2)];
}
