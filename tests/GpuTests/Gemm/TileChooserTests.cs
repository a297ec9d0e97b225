using XComposer2.Native.Cuda;
using XComposer2.Native.Kernels;
using Xunit;

namespace XComposer2.Native.GpuTests;

/// <summary>The tile that each product of the 7B gets. No device is needed.</summary>
public sealed class TileChooserTests
{
    private const int PictureRows = 1300, VisionRows = 1226;

    /// <summary>Capability, multiprocessors, rows, columns, Partial LoRA, tile.</summary>
    [Theory]
    // A100: gate and up wide, the packed projection square.
    [InlineData(80, 108, PictureRows, 28672, true, "A1")]
    [InlineData(80, 108, PictureRows, 6144, true, "A2")]
    [InlineData(80, 108, VisionRows, 1024, false, "S1")]
    [InlineData(80, 108, VisionRows, 4096, false, "A2")]
    [InlineData(80, 108, 40, 4096, false, "S1")]
    // RTX 3070: 64 rows wherever 128 would leave multiprocessors idle.
    [InlineData(86, 46, PictureRows, 6144, true, "G2")]
    [InlineData(86, 46, PictureRows, 4096, true, "G2")]
    [InlineData(86, 46, PictureRows, 28672, true, "G2")]
    [InlineData(86, 46, VisionRows, 1024, false, "S1")]
    [InlineData(86, 68, VisionRows, 4096, false, "G1")]
    // RTX 4090.
    [InlineData(89, 128, VisionRows, 4096, false, "G2")]
    // RTX 2080: Partial LoRA takes registers that the largest tile has not got.
    [InlineData(75, 46, PictureRows, 28672, false, "T1")]
    [InlineData(75, 46, PictureRows, 28672, true, "T2")]
    // H100, and consumer cards that come after the 4090.
    [InlineData(90, 132, PictureRows, 28672, true, "A1")]
    [InlineData(120, 170, PictureRows, 28672, true, "G2")]
    public void A_product_gets_the_tile_of_the_table(int capability, int multiprocessors, int rows, int columns, bool hasLora, string tile) =>
        Assert.Equal(
            Tiles.Of(tile, KernelStorage.F16),
            TileChooser.Choose(new ComputeCapability(capability / 10, capability % 10), multiprocessors, KernelStorage.F16, rows, columns, hasLora));

    [Theory]
    [InlineData(75)]
    [InlineData(80)]
    [InlineData(86)]
    public void F32_has_one_tile(int capability)
    {
        ComputeCapability device = new(capability / 10, capability % 10);
        Assert.Equal(PrefillTile.Plain, TileChooser.Choose(device, 46, KernelStorage.F32, 1, 1, false));
        Assert.Equal(PrefillTile.Plain, TileChooser.ChooseForLora(device, KernelStorage.F32));
    }

    /// <summary>What is chosen can be launched: a tile for a generation without asynchronous copies has two stages.</summary>
    [Fact]
    public void Before_8_0_every_tile_has_two_stages()
    {
        ComputeCapability turing = new(7, 5);
        foreach (int rows in new[] { 1, 64, 65, 1300 })
            foreach (int columns in new[] { 64, 1024, 6144, 28672 })
                foreach (bool hasLora in new[] { false, true })
                    Assert.Equal(2, TileChooser.Choose(turing, 46, KernelStorage.F16, rows, columns, hasLora).Stages);
        Assert.Equal(2, TileChooser.ChooseForLora(turing, KernelStorage.F16).Stages);
    }
}
