using System.Collections.Immutable;
using XComposer2.Native.Model;

namespace XComposer2.Demo.World;

/// <summary>Red, green and blue, 0 to 255.</summary>
public readonly record struct Rgb(byte Red, byte Green, byte Blue);

/// <summary>A shape to draw; lengths in sides of the picture.</summary>
/// <param name="Form">Its form.</param>
/// <param name="X">Centre, from the left.</param>
/// <param name="Y">Centre, from the top.</param>
/// <param name="Radius">Half of its extent.</param>
/// <param name="Fill">Its colour.</param>
public readonly record struct DrawnShape(ShapeForm Form, double X, double Y, double Radius, Rgb Fill);

/// <summary>A picture of a scene, independent of its size. Immutable: the same picture can be a file and the input of the vision tower.</summary>
/// <param name="Scene">What it shows.</param>
/// <param name="Background">Colour behind the shapes.</param>
/// <param name="Shapes">One for each object.</param>
/// <param name="FileSize">Side in pixels as a file.</param>
public sealed record ToyPicture(Scene Scene, Rgb Background, ImmutableArray<DrawnShape> Shapes, int FileSize)
{
    private const double LargeRadius = 0.42, SmallRadius = 0.27, Slack = 0.6;
    private const int ColorJitter = 12;

    private static readonly Rgb[] colors =
        [new(214, 40, 40), new(34, 150, 60), new(40, 80, 210), new(240, 200, 20), new(130, 50, 170), new(245, 130, 20), new(240, 130, 180), new(20, 20, 20)];

    private static readonly Rgb[] backgrounds = [new(255, 255, 255), new(235, 235, 235), new(205, 215, 225), new(225, 215, 200), new(200, 225, 210), new(240, 230, 245)];

    private static readonly int[] fileSizes = [96, 112, 140, 168, 224];

    /// <summary>Draws a scene with a random background, size, and small deviations of places and colours.</summary>
    public static ToyPicture Of(Scene scene, SeededRandom random)
    {
        ArgumentNullException.ThrowIfNull(scene);
        ArgumentNullException.ThrowIfNull(random);
        int size = random.Pick<int>(fileSizes);
        Rgb background = random.Pick<Rgb>(backgrounds);
        var shapes = ImmutableArray.CreateBuilder<DrawnShape>(scene.Objects.Length);
        foreach (SceneObject each in scene.Objects)
        {
            double radius = each.IsLarge ? LargeRadius : SmallRadius, slack = (0.5 - radius) * Slack;
            double x = (each.Cell % 3) + 0.5 + random.Between(-slack, slack), y = (each.Cell / 3) + 0.5 + random.Between(-slack, slack);
            Rgb color = colors[(int)each.Color];
            shapes.Add(new DrawnShape(each.Form, x / 3, y / 3, radius / 3, new Rgb(Jittered(random, color.Red), Jittered(random, color.Green), Jittered(random, color.Blue))));
        }

        return new ToyPicture(scene, background, shapes.DrainToImmutable(), size);
    }

    /// <summary>The picture as a file holds it.</summary>
    public RgbImage ToFileImage() => Painter.Paint(this, FileSize, PixelFilter.Area);

    /// <summary>The picture as the vision tower gets it: nearly the file's pixels reduced to this side, without drawing them first.</summary>
    public RgbImage ToInputImage(int size) => Painter.Paint(this, size, PixelFilter.Cubic);

    /// <summary>The file, as PNG.</summary>
    public byte[] ToPng() => PngEncoder.Encode(ToFileImage());

    private static byte Jittered(SeededRandom random, byte level) => (byte)Math.Clamp(level + random.Below((2 * ColorJitter) + 1) - ColorJitter, 0, 255);
}
