using System.Diagnostics;
using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

public class GalleryScaleTests(ITestOutputHelper output)
{
    private const int Pictures = 10_000;

    private static readonly string[] colors = ["red", "green", "blue", "yellow", "purple", "orange", "pink", "gray", "brown", "black"];
    private static readonly string[] shapes = ["circle", "square", "triangle", "star", "ring", "cross"];
    private static readonly string[] places = ["left", "right", "top", "bottom", "center"];

    [Fact]
    public void Search_among_10000_pictures_takes_milliseconds()
    {
        long start = Stopwatch.GetTimestamp();
        GallerySearch search = new(Gallery(sameLooks: false), 0.99f);
        output.WriteLine($"built in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms");
        Assert.Equal(4, search.Find("a red circle at the left", []).Take(4).Count());
        double median = Median(() => search.Find("a red circle at the left 红色圆形", []).Take(4).Count());
        output.WriteLine($"search: {median:F2} ms");
        Assert.InRange(median, 0, 100);
    }

    [Fact]
    public void Search_among_10000_duplicates_avoids_quadratic_comparisons()
    {
        GallerySearch search = new(Gallery(sameLooks: true), 0.99f);
        Assert.Single(search.Find("image of a red circle", []).Take(4));
        double median = Median(() => search.Find("a red circle at the left 红色圆形", []).Take(4).Count());
        output.WriteLine($"search among look-alikes: {median:F2} ms");
        Assert.InRange(median, 0, 200);
    }

    [Fact]
    public void Index_of_10000_pictures_is_a_few_megabytes()
    {
        byte[] bytes = IndexFormat.Write("model", [.. Gallery(sameLooks: false).Select(picture => picture.Record)]);
        double median = Median(() => IndexFormat.Read(bytes, "model").Count);
        output.WriteLine($"{bytes.Length / 1e6:F1} MB, read in {median:F1} ms");
        Assert.InRange(bytes.Length, 1, 8_000_000);
    }

    private static List<IndexedPicture> Gallery(bool sameLooks)
    {
        Random random = new(3);
        List<IndexedPicture> pictures = [];
        for (int number = 0; number < Pictures; number++)
        {
            sbyte[] features = new sbyte[CompactFeatures.Length];
            for (int index = 0; index < features.Length; index++)
                features[index] = (sbyte)(sameLooks ? index % 100 : random.Next(-127, 128));
            string color = colors[random.Next(colors.Length)], shape = shapes[random.Next(shapes.Length)], place = places[random.Next(places.Length)];
            FoundPicture file = new($"2024/{number:D6}.png", 1000 + number, number);
            PictureRecord record = new(file, ContentHash.Of(BitConverter.GetBytes(number)), features, "", [$"The image shows a {color} {shape} at the {place}.", "图中有左上的红色圆形。"]);
            pictures.Add(new IndexedPicture(record, new PictureWords(file, "")));
        }

        return pictures;
    }

    private static double Median(Func<int> work)
    {
        double[] times = new double[21];
        for (int round = 0; round < times.Length; round++)
        {
            long start = Stopwatch.GetTimestamp();
            work();
            times[round] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        Array.Sort(times);
        return times[times.Length / 2];
    }
}
