using XComposer2.Demo.Mixtures;
using XComposer2.Demo.World;
using XComposer2.Native.Model;
using Xunit;

namespace XComposer2.Demo.ToyWorldTests;

/// <summary>Drawings: areas, colours, and the two ways to the vision tower.</summary>
public sealed class PictureTests
{
    private const int Side = 84;

    /// <summary>Areas of shapes of radius 1, by elementary geometry.</summary>
    public static TheoryData<ShapeForm, double> Areas => new()
    {
        { ShapeForm.Circle, Math.PI },
        { ShapeForm.Square, 4 * 0.88 * 0.88 },
        { ShapeForm.Triangle, 1.85 },
        { ShapeForm.Star, 10 * 0.5 * 0.42 * Math.Sin(Math.PI / 5) },
        { ShapeForm.Cross, (2 * 2 * 0.68) - (0.68 * 0.68) },
        { ShapeForm.Ring, Math.PI * (1 - (0.64 * 0.64)) },
    };

    [Theory]
    [MemberData(nameof(Areas))]
    public void Shape_covers_its_area(ShapeForm form, double area)
    {
        const double Radius = 0.14;
        ToyPicture picture = new(Scene.Of(new Thing(ShapeColor.Black, form)), new Rgb(200, 200, 200), [new DrawnShape(form, 0.503, 0.471, Radius, new Rgb(0, 0, 0))], Side);
        foreach (RgbImage image in (RgbImage[])[picture.ToFileImage(), picture.ToInputImage(Side)])
        {
            double covered = image.Pixels.ToArray().Sum(level => (200.0 - level) / 200) / 3;
            Assert.InRange(covered / (area * Radius * Radius * Side * Side), 0.98, 1.02);
        }
    }

    [Fact]
    public void Middle_of_a_shape_has_its_colour_and_the_corners_the_background()
    {
        for (int number = 0; number < 50; number++)
        {
            ToyPicture picture = ToySamples.Draw("vision-describe", 2, number).Pictures[0];
            ReadOnlySpan<byte> pixels = picture.ToInputImage(Side).Pixels.Span;
            Assert.Equal([picture.Background.Red, picture.Background.Green, picture.Background.Blue], pixels[..3].ToArray());
            foreach (DrawnShape shape in picture.Shapes.Where(shape => shape.Form != ShapeForm.Ring))
            {
                int at = 3 * (((int)(shape.Y * Side) * Side) + (int)(shape.X * Side));
                Assert.InRange(pixels[at] - shape.Fill.Red, -12, 12);
                Assert.InRange(pixels[at + 2] - shape.Fill.Blue, -12, 12);
            }
        }
    }

    [Fact]
    public void Input_is_nearly_the_reduced_file()
    {
        double sum = 0;
        int largest = 0, far = 0, all = 0;
        for (int number = 0; number < 100; number++)
        {
            ToyPicture picture = ToySamples.Draw("vision-talk", 2, number).Pictures[0];
            ReadOnlySpan<byte> direct = picture.ToInputImage(Side).Pixels.Span, reduced = PillowResize.Bicubic(picture.ToFileImage(), Side, Side).Pixels.Span;
            for (int i = 0; i < direct.Length; i++)
            {
                int difference = Math.Abs(direct[i] - reduced[i]);
                (sum, largest, far, all) = (sum + difference, Math.Max(largest, difference), far + (difference > 16 ? 1 : 0), all + 1);
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"mean difference {sum / all:0.000} levels, largest {largest}, over 16: {100.0 * far / all:0.000} %");
        Assert.True(sum / all < 0.3 && (double)far / all < 0.002, $"mean difference {sum / all:0.000}, largest {largest}, over 16: {100.0 * far / all:0.000} %");
    }

    [Fact]
    public void Pictures_of_candidates_differ()
    {
        for (int number = 0; number < 100; number++)
        {
            string[] pictures = [.. ToySamples.Draw("choose-select-4-alike", 2, number).Pictures.TakeLast(4).Select(picture => Convert.ToBase64String(picture.ToInputImage(Side).Pixels.Span))];
            Assert.Equal(4, pictures.Distinct().Count());
        }
    }

    [Fact]
    public void File_is_a_readable_picture()
    {
        ToyPicture picture = ToySamples.Draw("vision-json", 2, 1).Pictures[0];
        RgbImage read = ImageDecoder.Decode(picture.ToPng(), "picture", ImageLimits.Default, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(picture.ToFileImage().Pixels.ToArray(), read.Pixels.ToArray());
    }
}
