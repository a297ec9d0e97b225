namespace XComposer2.Native.Model;

/// <summary>How a picture of any aspect becomes the square that the vision tower wants.</summary>
public enum SquareMode
{
    /// <summary>Both sides are resized to the square's; the aspect is not kept. What chat does.</summary>
    Squash,

    /// <summary>Black bars first make the picture square, centred. What the evaluation of MME and HallusionBench does.</summary>
    SquarePad,
}
