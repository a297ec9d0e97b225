using XComposer2.Native.Model;
using XComposer2.Native.Runtime;
using Xunit;

namespace XComposer2.Native.UnitTests;

public sealed class PictureRowsTests
{
    private const int RowsPerPicture = 3;

    [Fact]
    public void The_least_recently_used_picture_gives_its_place()
    {
        using var backend = new CpuBackend(1);
        using var pictures = new PictureRows(backend, 2, 2, RowsPerPicture, columns: 8);
        Assert.Equal((0, RowsPerPicture), (pictures.Add(Hash(1)), pictures.Add(Hash(2))));
        Assert.Equal(0, pictures.FirstRowOf(Hash(1)));
        Assert.Equal(RowsPerPicture, pictures.Add(Hash(3)));
        Assert.Equal((true, false, true), (pictures.Contains(Hash(1)), pictures.Contains(Hash(2)), pictures.Contains(Hash(3))));
        Assert.Equal(-1, pictures.FirstRowOf(Hash(2)));
    }

    [Fact]
    public void A_pinned_picture_keeps_its_place()
    {
        using var backend = new CpuBackend(1);
        using var pictures = new PictureRows(backend, 2, 2, RowsPerPicture, columns: 8);
        pictures.Add(Hash(1));
        pictures.Pin(Hash(1));
        pictures.Pin(Hash(1));
        pictures.Add(Hash(2));
        Assert.Equal(RowsPerPicture, pictures.Add(Hash(3)));
        pictures.Pin(Hash(3));
        pictures.Unpin(Hash(1));
        Assert.Equal("all 2 places for pictures are in use", Assert.Throws<InvalidOperationException>(() => pictures.Add(Hash(4))).Message);
        pictures.Unpin(Hash(1));
        Assert.Equal(0, pictures.Add(Hash(4)));
        Assert.True(pictures.Contains(Hash(3)));
    }

    [Fact]
    public void A_picture_that_could_not_be_encoded_gives_its_place_first()
    {
        using var backend = new CpuBackend(1);
        using var pictures = new PictureRows(backend, 2, 2, RowsPerPicture, columns: 8);
        pictures.Add(Hash(1));
        pictures.Add(Hash(2));
        pictures.Forget(Hash(2));
        pictures.Forget(Hash(2));
        Assert.False(pictures.Contains(Hash(2)));
        Assert.Equal(RowsPerPicture, pictures.Add(Hash(2)));
        Assert.True(pictures.Contains(Hash(1)));
    }

    private static ImageContentHash Hash(int number) => new(0, 0, 0, (ulong)number);
}
