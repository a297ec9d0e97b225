namespace XComposer2.Native.Model;

/// <summary>Lossy and lossless WebP with the pixels of libwebp. Animations give the first frame on a black canvas. Alpha is dropped.</summary>
internal static class WebPDecoder
{
    // The lossless decoder needs up to two ARGB images, the lossy one 1.5 bytes per pixel.
    private const int WorkingBytesPerPixel = 8;

    public static RgbImage Decode(ReadOnlyMemory<byte> bytes, ImageJob job)
    {
        (WebPContainer container, string? fault) = WebPContainer.Read(bytes);
        if (fault is not null) throw job.Fault($"WebP: {fault}");
        (int width, int height) = container.FrameSize();
        job.RequireMemory((long)WorkingBytesPerPixel * width * height);
        ImageJob inner = job with { Width = width, Height = height };
        byte[] frame = container.IsLossless ? LosslessDecoder.Decode(container.Data.Span, inner) : LossyDecoder.Decode(container.Data, inner);
        if (width == job.Width && height == job.Height) return new RgbImage(width, height, frame);
        byte[] canvas = new byte[3 * job.Width * job.Height];
        for (int row = 0; row < height; row++)
            frame.AsSpan(3 * row * width, 3 * width).CopyTo(canvas.AsSpan(3 * ((container.Top + row) * job.Width + container.Left)));
        return new RgbImage(job.Width, job.Height, canvas);
    }
}
