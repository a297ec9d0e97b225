using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.PixelFormats;

namespace XComposer2.Native.Model;

/// <summary>WebP, lossy and lossless: our own reading of the container, ImageSharp's of the picture data. Of an animation the first frame is shown.</summary>
internal static class WebPDecoder
{
    /// <summary>What ImageSharp keeps for a pixel beside our own three bytes: its picture, and samples or ARGB values.</summary>
    private const int LibraryBytesPerPixel = 8;

    public static RgbImage Decode(ReadOnlyMemory<byte> bytes, ImageJob job)
    {
        (WebPContainer container, string? fault) = WebPContainer.Read(bytes);
        if (fault is not null) throw job.Fault($"WebP: {fault}");
        (int width, int height) = container.FrameSize();
        job.RequireMemory((long)LibraryBytesPerPixel * width * height);
        byte[] frame = Pixels(container.SingleFrame(), width, height, job);
        if (width == job.Width && height == job.Height) return new RgbImage(width, height, frame);
        byte[] canvas = new byte[3 * job.Width * job.Height];
        for (int row = 0; row < height; row++)
            frame.AsSpan(3 * row * width, 3 * width).CopyTo(canvas.AsSpan(3 * ((container.Top + row) * job.Width + container.Left)));
        return new RgbImage(job.Width, job.Height, canvas);
    }

    private static byte[] Pixels(byte[] file, int width, int height, ImageJob job)
    {
        try
        {
            // The library cannot be stopped in the middle of a picture: the caller goes on, and the work ends by itself.
            return Task.Run(() => Load(file, width, height), job.Cancellation).WaitAsync(job.Cancellation).GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is not (OutOfMemoryException or OperationCanceledException))
        {
            // The library reports damage with whatever its array accesses throw.
            throw new ImageException($"{job.Name}: WebP: damaged picture data ({error.Message})", error);
        }
    }

    private static byte[] Load(byte[] file, int width, int height)
    {
        Configuration configuration = new(new WebpConfigurationModule());
        using Image<Rgb24> image = Image.Load<Rgb24>(configuration, file, new WebpDecoder { IgnoreMetadata = true });
        if (image.Width != width || image.Height != height) throw new InvalidDataException($"{width} x {height} pixels expected, found {image.Width} x {image.Height}");
        byte[] pixels = GC.AllocateUninitializedArray<byte>(3 * width * height);
        image.CopyPixelDataTo(pixels);
        return pixels;
    }
}
