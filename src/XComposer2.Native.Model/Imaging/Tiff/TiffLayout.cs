namespace XComposer2.Native.Model;

/// <summary>Pixel layout of the first page of a TIFF.</summary>
internal sealed record TiffLayout
{
    public required TiffColor Color { get; init; }

    /// <summary>Per sample: 1, 2, 4, 8 or 16.</summary>
    public required int Bits { get; init; }

    public required int Samples { get; init; }

    public required int Compression { get; init; }

    /// <summary>Samples are stored in separate planes.</summary>
    public required bool IsPlanar { get; init; }

    /// <summary>Horizontal differencing predictor.</summary>
    public required bool IsDifference { get; init; }

    /// <summary>Bits are stored least significant first.</summary>
    public required bool IsReversed { get; init; }

    /// <summary>Colours are premultiplied by alpha.</summary>
    public required bool IsPremultiplied { get; init; }

    public required bool IsTiled { get; init; }

    /// <summary>Width of a strip or tile.</summary>
    public required int PartWidth { get; init; }

    /// <summary>Height of a strip or tile; the last strip may be shorter.</summary>
    public required int PartHeight { get; init; }

    public required long[] Offsets { get; init; }

    public required long[] ByteCounts { get; init; }

    /// <summary>[at most 256, 3], 8 bits.</summary>
    public required byte[] Palette { get; init; }

    /// <summary>Bytes per row of a strip or tile (of one plane if planar).</summary>
    public long RowBytes => ((long)PartWidth * Bits * (IsPlanar ? 1 : Samples) + 7) / 8;

    /// <exception cref="ImageException">Unsupported layout.</exception>
    public static TiffLayout Read(TiffDirectory tags, ImageJob job)
    {
        int samples = (int)Math.Clamp(tags.Number(277, 1), 0, 100);
        long[] bits = tags.Numbers(258) is { Length: > 0 } stated ? stated : [1];
        long compression = tags.Number(259, 1), photometric = tags.Number(262, 0);
        bool isPlanar = tags.Number(284, 1) == 2 && samples > 1;
        bool isTiled = tags.Has(322) || tags.Has(324);
        long partWidth = isTiled ? tags.Number(322, 0) : job.Width;
        long partHeight = isTiled ? tags.Number(323, 0) : Math.Min(tags.Number(278, job.Height), job.Height);
        if (bits.Any(count => count != bits[0])) throw job.Fault("TIFF: samples of different sizes");
        if (bits[0] is not (1 or 2 or 4 or 8 or 16)) throw job.Fault($"TIFF: 1, 2, 4, 8 or 16 bits per sample are read, found {bits[0]}");
        if (tags.Numbers(339).Any(format => format is not (1 or 4))) throw job.Fault("TIFF: samples that are signed or floating-point numbers are not read");
        TiffColor color = ReadColor(photometric, (int)bits[0], samples, (int)compression, job);
        if (partWidth is < 1 or > 1 << 20 || partHeight is < 1 or > 1 << 20) throw job.Fault($"TIFF: strips or tiles of {partWidth} x {partHeight}");
        long predictor = tags.Number(317, 1);
        bool hasPredictor = compression is 5 or 8 or 32946 && predictor != 1;
        if (hasPredictor && (predictor != 2 || bits[0] < 8)) throw job.Fault($"TIFF: predictor {predictor} at {bits[0]} bits is not read");
        TiffLayout layout = new()
        {
            Color = color,
            Bits = (int)bits[0],
            Samples = samples,
            Compression = (int)compression,
            IsPlanar = isPlanar,
            IsDifference = hasPredictor,
            IsReversed = tags.Number(266, 1) == 2 && compression != 7,
            IsPremultiplied = color == TiffColor.Rgb && samples == 4 && tags.Number(338, 0) == 1,
            IsTiled = isTiled,
            PartWidth = (int)partWidth,
            PartHeight = (int)partHeight,
            Offsets = tags.Numbers(isTiled ? 324 : 273),
            ByteCounts = tags.Numbers(isTiled ? 325 : 279),
            Palette = color == TiffColor.Palette ? ReadPalette(tags, (int)bits[0], job) : [],
        };
        long across = (job.Width + partWidth - 1) / partWidth, down = (job.Height + partHeight - 1) / partHeight;
        long parts = across * down * (isPlanar ? samples : 1);
        if (layout.Offsets.Length < parts || layout.ByteCounts.Length < parts) throw job.Fault($"TIFF: {parts} strips or tiles expected, found {Math.Min(layout.Offsets.Length, layout.ByteCounts.Length)}");
        return layout;
    }

    private static TiffColor ReadColor(long photometric, int bits, int samples, int compression, ImageJob job)
    {
        TiffColor color = (photometric, compression) switch
        {
            (0, _) => TiffColor.InvertedGray,
            (1, _) => TiffColor.Gray,
            (2, _) => TiffColor.Rgb,
            (3, _) => TiffColor.Palette,
            (5, _) => TiffColor.Cmyk,
            (6, 7) => TiffColor.YCbCr,
            (6, _) => throw job.Fault("TIFF: YCbCr is read with JPEG compression only"),
            (8 or 9 or 10, _) => throw job.Fault("TIFF: Lab colours are not read; convert the picture to RGB"),
            _ => throw job.Fault($"TIFF: photometric interpretation {photometric} is not read"),
        };
        int least = color switch { TiffColor.Rgb or TiffColor.YCbCr => 3, TiffColor.Cmyk => 4, _ => 1 };
        if (samples < least) throw job.Fault($"TIFF: at least {least} samples per pixel expected, found {samples}");
        bool isWide = color is TiffColor.Rgb or TiffColor.Cmyk or TiffColor.YCbCr;
        if (isWide && bits < 8 || color == TiffColor.Palette && bits > 8) throw job.Fault($"TIFF: {bits} bits per sample are not read with these colours");
        return color;
    }

    private static byte[] ReadPalette(TiffDirectory tags, int bits, ImageJob job)
    {
        long[] values = tags.Numbers(320);
        int entries = 1 << bits;
        if (values.Length != 3 * entries) throw job.Fault($"TIFF: a palette of {3 * entries} values expected, found {values.Length}");
        byte[] palette = new byte[3 * entries];
        for (int entry = 0; entry < entries; entry++)
            for (int channel = 0; channel < 3; channel++) palette[3 * entry + channel] = (byte)(values[channel * entries + entry] >> 8);
        return palette;
    }
}

/// <summary>Colour space of a TIFF.</summary>
internal enum TiffColor
{
    Gray,
    InvertedGray,
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
}
