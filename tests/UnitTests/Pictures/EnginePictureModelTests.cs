using XComposer2.Native.Model;
using XComposer2.Native.Composition.Pictures;
using Xunit;

namespace XComposer2.Native.UnitTests;

/// <summary>The demo checkpoint indexes pictures of shapes with meaningless names.</summary>
public sealed class EnginePictureModelTests(DemoEngine demo) : IClassFixture<DemoEngine>, IDisposable
{
    private readonly GalleryFolder gallery = new();

    public void Dispose() => gallery.Dispose();

    [Fact]
    public async Task Gallery_is_searchable_by_generated_captions()
    {
        foreach (string name in new[] { "000-2", "034-2", "032-1", "046-0", "043-3", "058-1", "000-3" })
            File.Copy(TestPaths.Golden($"demo-cases/{name}.png"), gallery.PathOf($"{name}.png"));
        gallery.Add("broken.png", File.ReadAllBytes(TestPaths.Golden("demo-cases/046-0.png"))[..500]);
        EnginePictureModel model = new(demo.Engine);
        FolderImageSource source = await gallery.OpenAsync(model);
        Assert.Equal((7, 7, 7), (source.Report.Pictures, source.Report.Encoded, source.Report.Captioned));
        Assert.StartsWith("broken.png: ", Assert.Single(source.Report.Notes), StringComparison.Ordinal);

        Assert.Equal("046-0.png", await Best(source, "an orange circle"));
        Assert.Equal("046-0.png", await Best(source, "橙色圆形"));
        Assert.Equal("058-1.png", await Best(source, "a blue cross"));
        Assert.Equal("000-3.png", await Best(source, "蓝色的星形"));
        Assert.Equal("043-3.png", await Best(source, "pink triangle"));

        // The three yellow triangles differ only in their backgrounds.
        IReadOnlyList<ImageCandidate> yellow = await source.SearchAsync(new ImageQuery("a yellow triangle", 7), TestContext.Current.CancellationToken);
        Assert.Single(yellow, candidate => candidate.Id is "000-2.png" or "034-2.png" or "032-1.png");

        FolderImageSource again = await gallery.OpenAsync(new EnginePictureModel(demo.Engine));
        Assert.Equal((7, 0, 0), (again.Report.Pictures, again.Report.Encoded, again.Report.Captioned));
    }

    [Fact]
    public async Task Features_distinguish_copies_from_other_pictures()
    {
        float[] circle = await Features("046-0");
        Assert.Equal(4 * 256, circle.Length);
        Assert.Equal(1, Cosine(circle, circle), 1e-4f);
        Assert.InRange(Cosine(circle, await Features("058-2")), 0.99f, 1f);
        Assert.InRange(Cosine(circle, await Features("000-3")), -1f, 0.97f);
        await Assert.ThrowsAsync<ImageException>(() => demo.Engine.PictureFeaturesAsync(ImageInput.FromBytes("no picture"u8.ToArray(), "made"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Feature_computation_can_be_cancelled() =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => demo.Engine.PictureFeaturesAsync(ImageInput.FromFile(TestPaths.Golden("demo-cases/046-0.png")), new CancellationToken(canceled: true)));

    [Theory]
    [InlineData("A park. A red cir", "A park.")]
    [InlineData("公园。红色的", "公园。")]
    [InlineData("no end", "no end")]
    public void Truncated_captions_end_with_a_complete_sentence(string text, string caption) => Assert.Equal(caption, EnginePictureModel.WholeSentences(text));

    [Fact]
    public void Fingerprint_depends_on_checkpoint_contents()
    {
        using Checkpoint checkpoint = CheckpointFolder.Open(TestPaths.Repository("tools/demo/checkpoint"));
        Assert.Equal(64, ModelFingerprint.Of(checkpoint).Length);
        Assert.Equal(ModelFingerprint.Of(checkpoint), demo.Engine.Fingerprint());
        Assert.NotEqual(demo.Engine.Fingerprint(), new EnginePictureModel(demo.Engine).Fingerprint);
        string copy = Directory.CreateDirectory(gallery.PathOf("copy")).FullName;
        foreach (string file in Directory.GetFiles(TestPaths.Repository("tools/demo/checkpoint")))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        using (FileStream weights = new(Path.Combine(copy, "model.safetensors"), FileMode.Open))
        {
            weights.Seek(-2, SeekOrigin.End);
            weights.Write([0x12, 0x34]);
        }

        using Checkpoint changed = CheckpointFolder.Open(copy);
        Assert.NotEqual(ModelFingerprint.Of(checkpoint), ModelFingerprint.Of(changed));
    }

    private async Task<float[]> Features(string picture) =>
        await demo.Engine.PictureFeaturesAsync(ImageInput.FromFile(TestPaths.Golden($"demo-cases/{picture}.png")), TestContext.Current.CancellationToken);

    private static float Cosine(float[] first, float[] second) => first.Zip(second, (left, right) => left * right).Sum();

    private static async Task<string> Best(FolderImageSource source, string text) =>
        (await source.SearchAsync(new ImageQuery(text, 1), TestContext.Current.CancellationToken))[0].Id;
}
