using System.IO.Compression;
using System.Runtime.CompilerServices;

namespace XComposer2.Native.Model;

/// <summary>
/// PNG of every colour type and bit depth, plain and interlaced. No more data is inflated than the picture needs. Header and palette need valid
/// checksums. As in Pillow, picture data is complete if it inflates to the whole picture; its checksums and the IEND chunk are not
/// required.
/// </summary>
internal static class PngDecoder
{
    /// <summary>Maximum expansion of deflate.</summary>
    private const int MaxInflation = 1032;

    private const int RowsBetweenChecks = 16;

    public static RgbImage Decode(ReadOnlyMemory<byte> bytes, ImageJob job) => Read(bytes, job, wantsAlpha: false)!;

    /// <summary>The opacity of each pixel, in all three channels; null if the picture is opaque by its header.</summary>
    public static RgbImage? DecodeAlpha(ReadOnlyMemory<byte> bytes, ImageJob job) => Read(bytes, job, wantsAlpha: true);

    private static RgbImage? Read(ReadOnlyMemory<byte> bytes, ImageJob job, bool wantsAlpha)
    {
        PngLayout? layout = null;
        byte[] palette = [];
        byte[]? transparency = null;
        using PngDataStream data = new();
        foreach (PngChunk chunk in PngChunk.Of(bytes))
        {
            ReadOnlySpan<byte> kind = chunk.Kind.Span;
            bool isHeader = kind.SequenceEqual("IHDR"u8), isPalette = kind.SequenceEqual("PLTE"u8), isData = kind.SequenceEqual("IDAT"u8);
            if (isData && layout is not null) data.Add(chunk.Content);
            else if (kind.SequenceEqual("IEND"u8)) break;
            else if (!isHeader && !isPalette)
            {
                // Chunks after the picture data are ignored.
                if (kind.SequenceEqual("tRNS"u8) && !data.HasBytes) transparency ??= chunk.Content.ToArray();
                if (!chunk.IsAncillary && !data.HasBytes) throw job.Fault($"PNG: an unknown critical chunk at byte {chunk.Position}");
            }
            else if (data.HasBytes) throw job.Fault($"PNG: a header or palette behind the picture data, at byte {chunk.Position}");
            else if (chunk.IsCutOff) throw job.Fault($"PNG: the file is cut off in the chunk at byte {chunk.Position}");
            else if (!chunk.IsSound(bytes)) throw job.Fault($"PNG: the chunk at byte {chunk.Position} is damaged (checksum)");
            else if (isPalette) palette = chunk.Content.ToArray();
            else if (layout is not null || chunk.Content.Length != 13) throw job.Fault("PNG: a second or misshapen IHDR chunk");
            else layout = PngLayout.Read(chunk.Content.Span, job.Name);
        }
        if (layout is null) throw job.Fault("PNG: no IHDR chunk");
        if (!data.HasBytes) throw job.Fault("PNG: the file is cut off before its picture data");
        if (!wantsAlpha) return Inflate(layout, palette, data, job);
        return layout.HasAlpha || transparency is not null ? Inflate(layout with { Transparency = transparency ?? [] }, palette, data, job) : null;
    }

    private static RgbImage Inflate(PngLayout layout, byte[] palette, PngDataStream data, ImageJob job)
    {
        if (layout.ColorType == PngColorType.Palette && palette.Length is 0 or > 768) throw job.Fault($"PNG: a palette of {palette.Length} bytes");
        if ((long)job.Width * job.Height * layout.BitsPerPixel / 8 / MaxInflation > data.TotalBytes)
            throw job.Fault($"PNG: the file is cut off: {data.TotalBytes} bytes of picture data cannot hold {job.Width} x {job.Height} pixels");
        byte[] pixels = GC.AllocateUninitializedArray<byte>(3 * job.Width * job.Height);
        try
        {
            using ZLibStream inflated = new(data, CompressionMode.Decompress);
            foreach (PngPass pass in layout.Interlaced ? PngPass.Adam7 : PngPass.Plain)
                ReadPass(inflated, layout, palette, pass, pixels, job);
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            throw new ImageException($"{job.Name}: PNG: the picture data is damaged or cut off", error);
        }
        return new(job.Width, job.Height, pixels);
    }

    private static void ReadPass(Stream inflated, PngLayout layout, byte[] palette, PngPass pass, byte[] pixels, ImageJob job)
    {
        int columns = (job.Width - pass.Left + pass.StepX - 1) / pass.StepX;
        int rows = (job.Height - pass.Top + pass.StepY - 1) / pass.StepY;
        if (columns <= 0 || rows <= 0) return;
        int rowBytes = checked((int)(((long)columns * layout.BitsPerPixel + 7) / 8));
        byte[] current = new byte[rowBytes];
        byte[] above = new byte[rowBytes];
        for (int row = 0; row < rows; row++)
        {
            if (row % RowsBetweenChecks == 0) job.Cancellation.ThrowIfCancellationRequested();
            int filter = inflated.ReadByte();
            if (filter < 0) throw new EndOfStreamException();
            if (filter > 4) throw job.Fault($"PNG: row filter 0 to 4 expected, found {filter}");
            inflated.ReadExactly(current);
            PngFilter.Undo(filter, current, above, Math.Max(layout.BitsPerPixel / 8, 1));
            long target = 3L * ((pass.Top + (long)row * pass.StepY) * job.Width + pass.Left);
            if (layout.Transparency is { } transparency) layout.ExpandAlpha(current, columns, transparency, pixels.AsSpan((int)target), 3 * pass.StepX);
            else layout.Expand(current, columns, palette, pixels.AsSpan((int)target), 3 * pass.StepX);
            (current, above) = (above, current);
        }
    }
}

/// <summary>The five row filters of PNG, undone in place.</summary>
internal static class PngFilter
{
    /// <param name="filter">0 to 4: none, left, above, average, Paeth.</param>
    /// <param name="row">Filtered bytes in, plain bytes out.</param>
    /// <param name="above">The plain row above; zeros above the first.</param>
    /// <param name="pixelBytes">Bytes from a sample to the same sample of the pixel before, at least 1.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Undo(int filter, Span<byte> row, ReadOnlySpan<byte> above, int pixelBytes)
    {
        switch (filter)
        {
            case 1:
                for (int index = pixelBytes; index < row.Length; index++) row[index] += row[index - pixelBytes];
                break;
            case 2:
                for (int index = 0; index < row.Length; index++) row[index] += above[index];
                break;
            case 3:
                for (int index = 0; index < row.Length; index++)
                    row[index] += (byte)(((index >= pixelBytes ? row[index - pixelBytes] : 0) + above[index]) / 2);
                break;
            case 4:
                for (int index = 0; index < row.Length; index++)
                    row[index] += index >= pixelBytes ? Paeth(row[index - pixelBytes], above[index], above[index - pixelBytes]) : above[index];
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static byte Paeth(int left, int above, int corner)
    {
        int estimate = left + above - corner;
        int toLeft = Math.Abs(estimate - left), toAbove = Math.Abs(estimate - above), toCorner = Math.Abs(estimate - corner);
        return (byte)(toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner);
    }
}
