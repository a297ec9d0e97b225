using Xunit;
using XComposer2.Native.Model;

namespace XComposer2.Native.UnitTests;

/// <summary>Compares pixels with Pillow over all formats and thousands of damaged files.</summary>
public class PillowDifferenceTests
{
    private static readonly ImageLimits Limits = new(1_000_000, 1 << 24);

    private readonly ITestOutputHelper output;

    public PillowDifferenceTests(ITestOutputHelper output) => this.output = output;

    [Fact]
    public void Every_format_has_the_pixels_of_Pillow()
    {
        List<string> wrong = [];
        foreach (PillowPicture picture in PillowPicture.ReadAll())
        {
            string found = Pixels(picture.Bytes, picture.Name, ExifOrientation.Ignore);
            // Pillow requires the end marker; browsers do not.
            string expected = picture.Name == "jpeg-no-end.jpg" ? PillowPicture.Read("jpeg-2x2.jpg").Pixels : picture.Pixels;
            if (found != expected) wrong.Add($"{picture.Name}: {found}");
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void Pictures_are_turned_upright_as_Pillow_turns_them()
    {
        List<PillowPicture> turned = [.. PillowPicture.ReadAll().Where(picture => picture.Name.StartsWith("upright-", StringComparison.Ordinal))];
        Assert.Equal(12, turned.Count);
        foreach (PillowPicture picture in turned) Assert.Equal((picture.Name, picture.Upright), (picture.Name, Pixels(picture.Bytes, picture.Name, ExifOrientation.Apply)));
        Assert.True(turned.Count(picture => picture.Upright != picture.Pixels) == 11, "each orientation but the first changes the picture");
    }

    [Fact]
    public void Damaged_files_have_the_pixels_of_Pillow_or_are_refused()
    {
        int equal = 0, refused = 0, both = 0, compared = 0;
        List<string> different = [], ours = [];
        foreach (PillowPicture picture in PillowPicture.ReadAll())
            for (int round = 0; round < picture.Damaged.Length; round++)
            {
                string expected = picture.Damaged[round];
                if (expected == "?") continue;
                compared++;
                string found = Pixels(picture.Damage(round), picture.Name, ExifOrientation.Ignore);
                if (found == expected) equal++;
                else if (found.Contains(' ') && expected == "-") both++;
                else if (found.Contains(' ')) refused++;
                else if (expected == "-") ours.Add($"{picture.Name} {round}");
                else different.Add($"{picture.Name} {round}: {found}");
            }
        output.WriteLine($"{compared} damaged files: {equal} equal, {both} refused by both, {refused} refused by us alone, {ours.Count} read by us alone, {different.Count} different");
        foreach (string name in ours) output.WriteLine($"read by us alone: {name}");
        Assert.True(compared > 7000, $"{compared} files compared");
        Assert.Empty(different);
        // Accepted files that Pillow rejects have intact pictures: damage after the first frame, in alpha, checksums or end markers.
        Assert.InRange(ours.Count, 0, compared / 50);
        Assert.True(equal > compared / 5, $"{equal} equal files");
    }

    [Theory]
    [InlineData("jpeg-2x2.jpg")]
    [InlineData("jpeg-2x1-progressive.jpg")]
    [InlineData("jpeg-gray.jpg")]
    [InlineData("jpeg-q100.jpg")]
    public void A_second_decoder_of_jpeg_agrees_within_two_levels(string name)
    {
        byte[] file = PillowPicture.Read(name).Bytes;
        byte[] other = StbImageSharp.ImageResult.FromMemory(file, StbImageSharp.ColorComponents.RedGreenBlue).Data;
        ReadOnlySpan<byte> own = ImageDecoder.Decode(file, name, Limits).Pixels.Span;
        Assert.Equal(other.Length, own.Length);
        long sum = 0;
        for (int index = 0; index < own.Length; index++) sum += Math.Abs(own[index] - other[index]);
        Assert.InRange((double)sum / own.Length, 0, 2);
    }

    /// <returns>The hash, or the error message.</returns>
    private static string Pixels(byte[] bytes, string name, ExifOrientation orientation)
    {
        try
        {
            return PillowPicture.Hash(ImageDecoder.Decode(bytes, name, Limits, orientation));
        }
        catch (ImageException error) when (error.InnerException is null or IOException or InvalidDataException)
        {
            return error.Message;
        }
    }
}
